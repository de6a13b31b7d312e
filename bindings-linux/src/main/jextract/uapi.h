/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's own headers; what we keep of them is listed in uapi.txt and arch.txt. */
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/elf.h>
#include <linux/errno.h>
#include <linux/eventfd.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/if_link.h>
#include <linux/inotify.h>
#include <linux/ioprio.h>
#include <linux/kcmp.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/limits.h>
#include <linux/lsm.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/oom.h>
#include <linux/openat2.h>
#include <linux/personality.h>
#include <linux/pidfd.h>
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/quota.h>
#include <linux/resource.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <linux/signal.h>
#include <linux/signalfd.h>
#include <linux/sockios.h>
#include <linux/stat.h>
#include <linux/termios.h>
#include <linux/time.h>
#include <linux/time_types.h>
#include <linux/timerfd.h>
#include <linux/types.h>
#include <linux/uio.h>
#include <linux/un.h>
#include <linux/utsname.h>
#include <linux/veth.h>
#include <linux/wait.h>
#include <linux/xattr.h>
#include <asm/socket.h>
#include <asm/statfs.h>

/* Of these unions only some members: as structs they would be 16,000 generated lines. Named as jextract names things. */
#define SIZE(type) ((long)sizeof(type))
#define OFFSET(type, member) ((long)__builtin_offsetof(type, member))

#define siginfo$sizeof SIZE(siginfo_t)
#define siginfo$si_signo$offset OFFSET(siginfo_t, si_signo)
#define siginfo$si_code$offset OFFSET(siginfo_t, si_code)
#define siginfo$si_pid$offset OFFSET(siginfo_t, si_pid)
#define siginfo$si_uid$offset OFFSET(siginfo_t, si_uid)
#define siginfo$si_status$offset OFFSET(siginfo_t, si_status)

#define bpf_attr$sizeof SIZE(union bpf_attr)
#define bpf_attr$prog_type$offset OFFSET(union bpf_attr, prog_type)
#define bpf_attr$insn_cnt$offset OFFSET(union bpf_attr, insn_cnt)
#define bpf_attr$insns$offset OFFSET(union bpf_attr, insns)
#define bpf_attr$license$offset OFFSET(union bpf_attr, license)
#define bpf_attr$log_level$offset OFFSET(union bpf_attr, log_level)
#define bpf_attr$log_size$offset OFFSET(union bpf_attr, log_size)
#define bpf_attr$log_buf$offset OFFSET(union bpf_attr, log_buf)
#define bpf_attr$prog_flags$offset OFFSET(union bpf_attr, prog_flags)
#define bpf_attr$prog_name$offset OFFSET(union bpf_attr, prog_name)
#define bpf_attr$target_fd$offset OFFSET(union bpf_attr, target_fd)
#define bpf_attr$attach_bpf_fd$offset OFFSET(union bpf_attr, attach_bpf_fd)
#define bpf_attr$attach_type$offset OFFSET(union bpf_attr, attach_type)
#define bpf_attr$attach_flags$offset OFFSET(union bpf_attr, attach_flags)
#define bpf_attr$replace_bpf_fd$offset OFFSET(union bpf_attr, replace_bpf_fd)
#define bpf_attr$prog_id$offset OFFSET(union bpf_attr, prog_id)
#define bpf_attr$query$target_fd$offset OFFSET(union bpf_attr, query.target_fd)
#define bpf_attr$query$attach_type$offset OFFSET(union bpf_attr, query.attach_type)
#define bpf_attr$query$query_flags$offset OFFSET(union bpf_attr, query.query_flags)
#define bpf_attr$query$attach_flags$offset OFFSET(union bpf_attr, query.attach_flags)
#define bpf_attr$query$prog_ids$offset OFFSET(union bpf_attr, query.prog_ids)
#define bpf_attr$query$prog_cnt$offset OFFSET(union bpf_attr, query.prog_cnt)
#define bpf_insn$sizeof SIZE(struct bpf_insn)

#define rtnl_link_stats64$sizeof SIZE(struct rtnl_link_stats64)
#define rtnl_link_stats64$rx_packets$offset OFFSET(struct rtnl_link_stats64, rx_packets)
#define rtnl_link_stats64$tx_packets$offset OFFSET(struct rtnl_link_stats64, tx_packets)
#define rtnl_link_stats64$rx_bytes$offset OFFSET(struct rtnl_link_stats64, rx_bytes)
#define rtnl_link_stats64$tx_bytes$offset OFFSET(struct rtnl_link_stats64, tx_bytes)

#define statfs$sizeof SIZE(struct statfs)
#define statfs$f_type$offset OFFSET(struct statfs, f_type)
#define statfs$f_bsize$offset OFFSET(struct statfs, f_bsize)
#define statfs$f_blocks$offset OFFSET(struct statfs, f_blocks)
#define statfs$f_bfree$offset OFFSET(struct statfs, f_bfree)
#define statfs$f_bavail$offset OFFSET(struct statfs, f_bavail)
#define statfs$f_files$offset OFFSET(struct statfs, f_files)
#define statfs$f_ffree$offset OFFSET(struct statfs, f_ffree)
#define statfs$f_namelen$offset OFFSET(struct statfs, f_namelen)
#define statfs$f_flags$offset OFFSET(struct statfs, f_flags)

/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel's headers lack: functions to call, and the names of sockets. Mixing both families in one file clashes. */
#define _GNU_SOURCE
#include <net/if.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define ifreq$sizeof ((long)sizeof(struct ifreq))
#define ifreq$ifr_name$offset ((long)__builtin_offsetof(struct ifreq, ifr_name))
#define ifreq$ifr_flags$offset ((long)__builtin_offsetof(struct ifreq, ifr_flags))
#define ifreq$ifr_ifindex$offset ((long)__builtin_offsetof(struct ifreq, ifr_ifindex))
#define ifreq$ifr_mtu$offset ((long)__builtin_offsetof(struct ifreq, ifr_mtu))

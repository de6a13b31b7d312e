// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.file;

import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.HostPath;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Turns an errno of a cgroup file system into its likely cause and a remedy. */
public final class Refusal {
    private static final String DELEGATE =
            "limits need root, or a cgroup delegated to this user (systemd-run --user --scope -p Delegate=yes ...)";

    private Refusal() {}

    /** {@return why a value was not written} */
    public static CgroupException ofWrite(Write write, Path file, LinuxException refused) {
        var errno = refused.errno();
        String said = String.valueOf(refused.getMessage());
        if (!Files.isDirectory(Objects.requireNonNull(file.getParent()))) {
            return new CgroupException(
                    Reason.VANISHED,
                    write.option(),
                    said + "; somebody removed the cgroup " + HostPath.shown(file.getParent()),
                    refused);
        }
        if (errno.equals(Errno.ENOENT)) {
            return new CgroupException(
                    Reason.MISSING_FILE,
                    write.option(),
                    said + "; this kernel is built or booted without it" + missing(write.file()),
                    refused);
        }
        var general = general(write.option(), said, errno, refused);
        if (general != null) {
            return general;
        }
        if (errno.equals(Errno.EBUSY) && write.controller().equals("memory")) {
            return new CgroupException(
                    Reason.BELOW_USAGE,
                    write.option(),
                    said + "; more than that is in use and could not be reclaimed",
                    refused);
        }
        if (errno.equals(Errno.ENODEV)) {
            return new CgroupException(
                    Reason.REFUSED,
                    write.option(),
                    said + "; there is no such disk (a partition is not a disk)",
                    refused);
        }
        return new CgroupException(
                errno.equals(Errno.EBUSY) ? Reason.BUSY : Reason.REFUSED, write.option(), said + hint(write), refused);
    }

    /** {@return why a directory was not made} */
    public static CgroupException ofMake(Path directory, LinuxException refused) {
        var errno = refused.errno();
        String said = String.valueOf(refused.getMessage());
        var general = general("cgroup", said, errno, refused);
        if (general != null) {
            return general;
        }
        if (errno.equals(Errno.EEXIST)) {
            return new CgroupException(
                    Reason.EXISTS, "cgroup", said + "; it is not ours, choose another name", refused);
        }
        if (errno.equals(Errno.ENOENT)) {
            return new CgroupException(
                    Reason.VANISHED,
                    "cgroup",
                    said + "; there is no " + HostPath.shown(Objects.requireNonNull(directory.getParent())),
                    refused);
        }
        return new CgroupException(
                Reason.REFUSED,
                "cgroup",
                said + (errno.equals(Errno.EAGAIN) ? "; cgroup.max.depth or cgroup.max.descendants is reached" : ""),
                refused);
    }

    /** {@return why a process or thread did not move} */
    public static CgroupException ofMove(Path directory, LinuxException refused) {
        var errno = refused.errno();
        String said = String.valueOf(refused.getMessage());
        var general = general("cgroup", said, errno, refused);
        if (general != null) {
            return general;
        }
        String why = "";
        if (errno.equals(Errno.ESRCH)) {
            why = "; there is no such process";
        } else if (errno.equals(Errno.EBUSY)) {
            why = "; a cgroup with controllers for its children takes no processes itself";
        } else if (errno.equals(Errno.EOPNOTSUPP)) {
            why = "; a cgroup in or below a threaded one takes threads of one process only";
        } else if (errno.equals(Errno.EINVAL)) {
            why = "; realtime tasks need cpuRealtime, and kernel threads do not move";
        } else if (errno.equals(Errno.ENODEV) || errno.equals(Errno.ENOENT)) {
            return new CgroupException(
                    Reason.VANISHED,
                    "cgroup",
                    said + "; somebody removed the cgroup " + HostPath.shown(directory),
                    refused);
        }
        return new CgroupException(Reason.REFUSED, "cgroup", said + why, refused);
    }

    private static @Nullable CgroupException general(String option, String said, Errno errno, LinuxException refused) {
        if (errno.equals(Errno.EROFS)) {
            return new CgroupException(
                    Reason.READ_ONLY,
                    option,
                    said + "; the cgroup file system is mounted read-only, as in most containers",
                    refused);
        }
        if (errno.equals(Errno.EACCES) || errno.equals(Errno.EPERM)) {
            return new CgroupException(Reason.NOT_DELEGATED, option, said + "; " + DELEGATE, refused);
        }
        return null;
    }

    private static String missing(String file) {
        if (file.startsWith("memory.memsw.") || file.startsWith("memory.swap.")) {
            return " (swap limits of version 1 need swapaccount=1)";
        }
        return file.startsWith("hugetlb.") ? " (see /sys/kernel/mm/hugepages for the sizes there are)" : "";
    }

    private static String hint(Write write) {
        return switch (write.option()) {
            case "cpuset", "cpusetMems", "cpusetExclusive" ->
                "; the parent must have all of them, and none may be another cgroup's alone";
            case "cpuRealtime" -> "; the parent's own cpu.rt_runtime_us is the most its children get together";
            case "cpuBurst" -> "; it may not be more than the quota of cpus";
            case "cpuWeight" -> "; an idle cgroup (cpuIdle) has no weight";
            case "swapMax" -> "; version 1 counts memory and swap together, which may not be less than memoryMax";
            default -> "";
        };
    }
}

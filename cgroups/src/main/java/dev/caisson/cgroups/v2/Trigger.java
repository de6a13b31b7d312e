// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v2;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.cgroups.spec.Pressure;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Native;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.time.Duration;

/** Pressure triggers: a threshold written to a pressure file, which then is ready (POLLPRI) whenever it is exceeded. */
public final class Trigger {
    private static final Path PROC = Path.of("/proc/pressure");
    private static final Duration UNPRIVILEGED = Duration.ofSeconds(2);

    private Trigger() {}

    /** {@return an open pressure file with a trigger, which lives until it is closed} */
    public static Fd open(Path directory, Pressure pressure) throws CgroupException {
        Path file = directory.resolve(pressure.resource().file());
        try {
            var fd = Files.open(HostPath.of(file), OpenFlags.O_RDWR | OpenFlags.O_NONBLOCK, 0);
            try {
                write(fd, file, pressure.toString());
                return fd;
            } catch (LinuxException refused) {
                fd.close();
                throw refused;
            }
        } catch (LinuxException refused) {
            throw explained(directory, pressure, refused);
        }
    }

    private static void write(Fd fd, Path file, String trigger) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            // The kernel takes the last byte for the end of the string.
            var text = arena.allocateFrom(trigger);
            long result = Native.call(Syscall.WRITE, fd.number(), text.address(), text.byteSize());
            if (Native.failed(result)) {
                throw new LinuxException(
                        Native.errno(result),
                        "write(" + Arg.quote(HostPath.of(file)) + ", " + Arg.quote(trigger) + ")");
            }
            assert text.get(JAVA_BYTE, text.byteSize() - 1) == 0;
        }
    }

    private static CgroupException explained(Path directory, Pressure pressure, LinuxException refused) {
        boolean exists = java.nio.file.Files.isDirectory(directory);
        boolean counted = java.nio.file.Files.isDirectory(PROC);
        return explained(pressure, refused, exists, counted);
    }

    /**
     * {@return why there is no trigger}
     *
     * @param exists whether the cgroup does
     * @param counted whether this kernel counts pressure
     */
    static CgroupException explained(Pressure pressure, LinuxException refused, boolean exists, boolean counted) {
        var errno = refused.errno();
        String said = String.valueOf(refused.getMessage());
        if (!exists || errno.equals(Errno.ENODEV)) {
            return new CgroupException(Reason.VANISHED, "pressure", said + "; somebody removed the cgroup", refused);
        }
        if (errno.equals(Errno.ENOENT) || errno.equals(Errno.EOPNOTSUPP)) {
            String why = pressure.resource() == Pressure.Resource.IRQ
                    ? "the kernel counts no time of interrupts (Linux 6.1, CONFIG_IRQ_TIME_ACCOUNTING)"
                    : "it is turned off for this cgroup (cgroup.pressure)";
            return new CgroupException(
                    Reason.MISSING_FILE,
                    "pressure",
                    said + "; "
                            + (counted
                                    ? why
                                    : "there is no " + PROC
                                            + ": this kernel counts no pressure; boot with psi=1, or one"
                                            + " built with CONFIG_PSI"),
                    refused);
        }
        if (errno.equals(Errno.EACCES) || errno.equals(Errno.EPERM)) {
            return new CgroupException(
                    Reason.NOT_DELEGATED,
                    "pressure",
                    said + "; a trigger takes write permission for the file: be root, or own the cgroup"
                            + " (systemd-run --user --scope -p Delegate=yes ...)",
                    refused);
        }
        boolean odd = pressure.window().toNanos() % UNPRIVILEGED.toNanos() != 0;
        return new CgroupException(
                Reason.REFUSED,
                "pressure",
                said
                        + (errno.equals(Errno.EINVAL) && odd
                                ? "; without CAP_SYS_RESOURCE the window must be a multiple of 2 s, and is "
                                        + pressure.window() + " (before Linux 6.4 there are no triggers without it)"
                                : ""),
                refused);
    }
}

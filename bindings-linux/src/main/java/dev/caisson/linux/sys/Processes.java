// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Signal;
import dev.caisson.linux.Syscall;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;

/** Processes by pidfd: unlike a pid, a descriptor never comes to mean another process. */
public final class Processes {
    private static final int P_PID = 1;
    private static final int P_PIDFD = 3;
    private static final int PIDFD_THREAD = 0x80;
    private static final int WNOHANG = 1;
    private static final int WEXITED = 4;
    private static final int WALL = 0x40000000;
    private static final int CLD_EXITED = 1;
    private static final int CLD_DUMPED = 3;
    private static final long SIGINFO_SIZE = 128;
    private static final long SIGINFO_CODE = 8;
    private static final long SIGINFO_PID = 16;
    private static final long SIGINFO_STATUS = 24;
    private static final long RUSAGE_SIZE = 144;

    private static final Path ONLINE = Path.of("/sys/devices/system/cpu/online");

    private Processes() {}

    /** {@return how many processors there are, whatever this process may use of them} */
    public static int online() {
        try {
            int count = 0;
            for (String range : java.nio.file.Files.readString(ONLINE).strip().split(",")) {
                String[] ends = range.split("-");
                count += 1 + Integer.parseInt(ends[ends.length - 1]) - Integer.parseInt(ends[0]);
            }
            return count;
        } catch (IOException | NumberFormatException hidden) {
            return Runtime.getRuntime().availableProcessors();
        }
    }

    /** Waits for the end of a child and reaps it. Blocks the thread in the kernel: for children known to be ending. */
    public static WaitStatus reap(Fd pidfd) throws LinuxException {
        return waitid(pidfd, WEXITED | WALL).orElseThrow();
    }

    /** {@return the end of a child, which is reaped, or empty while it runs} */
    public static Optional<WaitStatus> poll(Fd pidfd) throws LinuxException {
        return waitid(pidfd, WEXITED | WALL | WNOHANG);
    }

    /**
     * Waits in the kernel for a child's end, without reaping it. For short waits: no interrupt ends it.
     *
     * @return whether it has ended
     */
    public static boolean awaitEnd(Fd pidfd, long nanos) throws LinuxException {
        return Poll.isReady(pidfd, Epoll.IN, nanos);
    }

    /** Waits for the end of a child of which there is no descriptor, and reaps it. Nobody else may have. */
    public static WaitStatus reap(int pid) throws LinuxException {
        return waitid(P_PID, pid, "P_PID, " + pid, WEXITED | WALL).orElseThrow();
    }

    private static Optional<WaitStatus> waitid(Fd pidfd, int options) throws LinuxException {
        return waitid(P_PIDFD, pidfd.number(), "P_PIDFD, " + pidfd, options);
    }

    private static Optional<WaitStatus> waitid(int type, int id, String whom, int options) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var info = arena.allocate(SIGINFO_SIZE, Long.BYTES);
            var usage = arena.allocate(RUSAGE_SIZE, Long.BYTES);
            long result;
            do {
                result = Native.call(Syscall.WAITID, type, id, info.address(), options, usage.address(), 0);
            } while (result == -Errno.EINTR.code());
            if (Native.failed(result)) {
                throw new LinuxException(Native.errno(result), "waitid(" + whom + ")");
            }
            if (info.get(JAVA_INT, SIGINFO_PID) == 0) {
                return Optional.empty();
            }
            int code = info.get(JAVA_INT, SIGINFO_CODE);
            int status = info.get(JAVA_INT, SIGINFO_STATUS);
            return Optional.of(new WaitStatus(
                    code == CLD_EXITED ? OptionalInt.of(status) : OptionalInt.empty(),
                    code == CLD_EXITED ? OptionalInt.empty() : OptionalInt.of(status),
                    code == CLD_DUMPED,
                    timeval(usage, 0),
                    timeval(usage, 16),
                    usage.get(JAVA_LONG, 32) * 1024,
                    usage.get(JAVA_LONG, 72),
                    usage.get(JAVA_LONG, 128),
                    usage.get(JAVA_LONG, 136)));
        }
    }

    private static Duration timeval(MemorySegment usage, long offset) {
        return Duration.ofSeconds(usage.get(JAVA_LONG, offset))
                .plusNanos(usage.get(JAVA_LONG, offset + Long.BYTES) * 1000);
    }

    /** Kills a child, reaps it, and closes its descriptor. */
    public static void killAndReap(Fd child) throws LinuxException {
        try (child) {
            var _ = signal(child, Signal.SIGKILL);
            var _ = reap(child);
        }
    }

    /** Kills and reaps a child of which there is no descriptor. Its pid must not have been waited for by anybody. */
    public static void killAndReap(int pid) throws LinuxException {
        var _ = Native.call(Syscall.KILL, pid, Signal.SIGKILL.number(), 0);
        long result;
        do {
            result = Native.call(Syscall.WAIT4, pid, 0, WALL, 0, 0, 0);
        } while (result == -Errno.EINTR.code());
        if (Native.failed(result)) {
            throw new LinuxException(Native.errno(result), "wait4(" + pid + ", NULL, __WALL, NULL)");
        }
    }

    /** {@return the number of a process that is not reaped, in this PID namespace} */
    public static int pid(Fd pidfd) throws IOException {
        for (String line : java.nio.file.Files.readAllLines(Path.of("/proc/self/fdinfo/" + pidfd.number()))) {
            if (line.startsWith("Pid:")) {
                int pid = Integer.parseInt(line.substring("Pid:".length()).strip());
                if (pid > 0) {
                    return pid;
                }
            }
        }
        throw new LinuxException(Errno.ESRCH, "the number of " + pidfd);
    }

    /** {@return a descriptor of a process of this PID namespace} */
    public static Fd open(int pid) throws LinuxException {
        return own(Native.call(Syscall.PIDFD_OPEN, pid, 0, 0), pid, "0");
    }

    /**
     * {@return a descriptor of a thread, or, before Linux 6.9 (PIDFD_THREAD), of its process}
     *
     * @param tid of this PID namespace
     */
    public static Fd openThread(int tid) throws LinuxException {
        long result = Native.call(Syscall.PIDFD_OPEN, tid, PIDFD_THREAD, 0);
        return result == -Errno.EINVAL.code() ? open(process(tid)) : own(result, tid, "PIDFD_THREAD");
    }

    /** {@return the process of a thread, both as this PID namespace numbers them} */
    public static int process(int tid) throws LinuxException {
        try {
            return ProcLines.of(Path.of("/proc/" + tid + "/status")).stream()
                    .filter(line -> line.startsWith("Tgid:"))
                    .mapToInt(line ->
                            Integer.parseInt(line.substring("Tgid:".length()).strip()))
                    .findFirst()
                    .orElse(tid);
        } catch (IOException ended) {
            throw new LinuxException(Errno.ESRCH, "openat(AT_FDCWD, \"/proc/" + tid + "/status\", O_RDONLY)");
        }
    }

    private static Fd own(long result, int pid, String flags) throws LinuxException {
        if (Native.failed(result)) {
            throw new LinuxException(Native.errno(result), "pidfd_open(" + pid + ", " + flags + ")");
        }
        return Fd.owning(result);
    }

    /** {@return a duplicate, close-on-exec, of another process's descriptor} Linux 5.6; takes the right to trace it. */
    public static Fd duplicate(Fd pidfd, int number) throws LinuxException {
        long result = Native.call(Syscall.PIDFD_GETFD, pidfd.number(), number, 0);
        if (Native.failed(result)) {
            throw new LinuxException(Native.errno(result), "pidfd_getfd(" + pidfd + ", " + number + ", 0)");
        }
        return Fd.owning(result);
    }

    /**
     * Sends a signal.
     *
     * @return false if the process has ended
     */
    public static boolean signal(Fd pidfd, Signal signal) throws LinuxException {
        long result = Native.call(Syscall.PIDFD_SEND_SIGNAL, pidfd.number(), signal.number(), 0, 0, 0, 0);
        if (result == -Errno.ESRCH.code()) {
            return false;
        }
        if (Native.failed(result)) {
            throw new LinuxException(
                    Native.errno(result), "pidfd_send_signal(" + pidfd + ", " + signal.name() + ", NULL, 0)");
        }
        return true;
    }
}

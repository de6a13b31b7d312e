// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static dev.caisson.linux.flag.CloneFlags.CLONE_CLEAR_SIGHAND;
import static dev.caisson.linux.flag.CloneFlags.CLONE_INTO_CGROUP;
import static dev.caisson.linux.flag.CloneFlags.CLONE_NEWUTS;
import static dev.caisson.linux.flag.CloneFlags.CLONE_PIDFD;
import static dev.caisson.linux.flag.CloneFlags.CLONE_VM;
import static dev.caisson.linux.sys.Kernel.Answer.COULD_NOT_TELL;
import static dev.caisson.linux.sys.Kernel.Answer.NO;
import static dev.caisson.linux.sys.Kernel.Answer.YES;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Feature;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Kernel.Answer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;

/**
 * One trial for each feature. None changes anything: each is a call that is refused in one way by a kernel that knows the
 * feature, and in another way by one that does not.
 */
final class Probes {
    private static final int FSCONFIG_SET_FLAG = 0;
    private static final int FSCONFIG_SET_STRING = 1;
    private static final int FSCONFIG_SET_FD = 5;
    private static final int FSOPEN_CLOEXEC = 1;
    private static final int SECCOMP_SET_MODE_FILTER = 1;
    private static final int SECCOMP_GET_ACTION_AVAIL = 2;
    private static final int SECCOMP_RET_USER_NOTIF = 0x7fc00000;
    private static final int SECCOMP_RET_ERRNO = 0x00050000;
    private static final int SECCOMP_FILTER_FLAG_NEW_LISTENER = 1 << 3;
    private static final int SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV = 1 << 5;
    private static final int PR_CAP_AMBIENT = 47;
    private static final int PR_CAP_AMBIENT_IS_SET = 1;
    private static final int CLOSE_RANGE_CLOEXEC = 4;
    private static final int LANDLOCK_CREATE_RULESET_VERSION = 1;

    /** Where no descriptor is ever open. */
    private static final int NO_DESCRIPTOR = 0x7fff_fff0;

    /** An address that belongs to the kernel. */
    private static final long NO_ADDRESS = -4096;

    private Probes() {}

    static Answer attempt(Feature feature) {
        return switch (feature) {
            case CLONE3 -> exists(Syscall.CLONE3);
            // The pidfd cannot be stored, which is noticed after the flags are, and before there is a child.
            case CLONE_CLEAR_SIGHAND -> clone3(CLONE_CLEAR_SIGHAND | CLONE_PIDFD, Errno.EFAULT);
            case CLONE_INTO_CGROUP -> clone3(CLONE_INTO_CGROUP, Errno.EBADF);
            case PIDFD -> exists(Syscall.PIDFD_SEND_SIGNAL);
            case PIDFD_SETNS -> setnsByPidfd();
            case CLOSE_RANGE ->
                // An empty range far above any descriptor: valid, and closes nothing.
                answer(Native.call(Syscall.CLOSE_RANGE, NO_DESCRIPTOR, NO_DESCRIPTOR, CLOSE_RANGE_CLOEXEC));
            case OPENAT2 -> exists(Syscall.OPENAT2);
            case NEW_MOUNT_API -> exists(Syscall.FSOPEN);
            case MOUNT_SETATTR, IDMAPPED_MOUNTS -> exists(Syscall.MOUNT_SETATTR);
            case OVERLAY -> overlay();
            case OVERLAY_LOWERDIR_APPEND -> overlayOption(FSCONFIG_SET_STRING, "lowerdir+", "/");
            case OVERLAY_LAYER_DESCRIPTORS -> overlayDescriptor();
            case OVERLAY_USERXATTR -> overlayOption(FSCONFIG_SET_FLAG, "userxattr", "");
            case USER_NAMESPACE -> file("/proc/self/ns/user") == NO ? NO : COULD_NOT_TELL;
            case TIME_NAMESPACE -> file("/proc/self/ns/time_for_children");
            case TIME_NAMESPACE_AT_EXEC -> file("/proc/self/ns/time_for_children") == NO ? NO : COULD_NOT_TELL;
            case CGROUP_NAMESPACE -> file("/proc/self/ns/cgroup");
            case SECCOMP_FILTER -> seccompAction(SECCOMP_RET_ERRNO);
            case SECCOMP_USER_NOTIFICATION -> seccompAction(SECCOMP_RET_USER_NOTIF);
            case SECCOMP_WAIT_KILLABLE ->
                // There is no program at NULL, which is noticed after the flags are.
                refusedWith(
                        Errno.EFAULT,
                        Native.call(
                                Syscall.SECCOMP,
                                SECCOMP_SET_MODE_FILTER,
                                SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
                                0));
            case CGROUP_KILL -> cgroupKill();
            case LANDLOCK ->
                answer(Native.call(Syscall.LANDLOCK_CREATE_RULESET, 0, 0, LANDLOCK_CREATE_RULESET_VERSION));
            case AMBIENT_CAPABILITIES -> answer(Native.call(Syscall.PRCTL, PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 0));
        };
    }

    private static Answer answer(long result) {
        return Native.failed(result) ? NO : YES;
    }

    /** A kernel that does not know what is asked for says EINVAL or ENOSYS; a filter may say anything. */
    private static Answer refusedWith(Errno expected, long result) {
        if (result == -expected.code()) {
            return YES;
        }
        return result == -Errno.EINVAL.code() || result == -Errno.ENOSYS.code() ? NO : COULD_NOT_TELL;
    }

    private static Answer exists(Syscall syscall) {
        long result = Native.call(syscall, -1, 0, 0, -1, 0, 0);
        return result == -Errno.ENOSYS.code() ? NO : YES;
    }

    private static Answer clone3(long flag, Errno expected) {
        try (var arena = Arena.ofConfined()) {
            // CLONE_VM: so that nothing of the JVM's memory is copied on the way to the refusal.
            var args =
                    arena.allocateFrom(JAVA_LONG, flag | CLONE_VM, NO_ADDRESS, 0, 0, 0, 0, 0, 0, 0, 0, NO_DESCRIPTOR);
            return refusedWith(expected, Native.call(Syscall.CLONE3, args.address(), args.byteSize(), 0));
        }
    }

    /** Joins the namespace this thread is in already. */
    private static Answer setnsByPidfd() {
        try (var self = Processes.open((int) ProcessHandle.current().pid())) {
            long result = Native.call(Syscall.SETNS, self.number(), CLONE_NEWUTS, 0);
            return result == 0 ? YES : refusedWith(Errno.EPERM, result);
        } catch (LinuxException noPidfd) {
            return NO;
        }
    }

    private static Answer file(String path) {
        return Files.exists(Path.of(path), LinkOption.NOFOLLOW_LINKS) ? YES : NO;
    }

    private static Answer overlayDescriptor() {
        try (var arena = Arena.ofConfined()) {
            long context = openOverlay(arena);
            if (Native.failed(context)) {
                return COULD_NOT_TELL;
            }
            try (var fd = Fd.owning(context);
                    var root = dev.caisson.linux.sys.Files.open("/", OpenFlags.O_PATH, 0)) {
                return answer(Native.call(
                        Syscall.FSCONFIG,
                        fd.number(),
                        FSCONFIG_SET_FD,
                        arena.allocateFrom("lowerdir+").address(),
                        0,
                        root.number(),
                        0));
            } catch (LinuxException unreadable) {
                return COULD_NOT_TELL;
            }
        }
    }

    private static long openOverlay(Arena arena) {
        return Native.call(Syscall.FSOPEN, arena.allocateFrom("overlay").address(), FSOPEN_CLOEXEC, 0);
    }

    private static Answer overlay() {
        try (var arena = Arena.ofConfined()) {
            long context = openOverlay(arena);
            if (!Native.failed(context)) {
                Fd.owning(context).close();
                return YES;
            }
            boolean registered =
                    Files.readAllLines(Path.of("/proc/filesystems")).contains("nodev\toverlay");
            // Not registered may yet mean a module that the kernel loads when root asks for it.
            return registered ? YES : context == -Errno.EPERM.code() ? COULD_NOT_TELL : NO;
        } catch (IOException unreadable) {
            return COULD_NOT_TELL;
        }
    }

    private static Answer overlayOption(int command, String key, String value) {
        try (var arena = Arena.ofConfined()) {
            long context = openOverlay(arena);
            if (Native.failed(context)) {
                return context == -Errno.EPERM.code() ? COULD_NOT_TELL : NO;
            }
            try (var fd = Fd.owning(context)) {
                long text = value.isEmpty() ? 0 : arena.allocateFrom(value).address();
                return answer(Native.call(
                        Syscall.FSCONFIG,
                        fd.number(),
                        command,
                        arena.allocateFrom(key).address(),
                        text,
                        0,
                        0));
            }
        }
    }

    private static Answer seccompAction(int action) {
        try (var arena = Arena.ofConfined()) {
            var word = arena.allocateFrom(JAVA_INT, action);
            return answer(Native.call(Syscall.SECCOMP, SECCOMP_GET_ACTION_AVAIL, 0, word.address()));
        }
    }

    /** The file is in every version 2 cgroup but the root. */
    private static Answer cgroupKill() {
        try {
            for (String line : ProcLines.of(Path.of("/proc/self/mountinfo"))) {
                if (line.contains(" - cgroup2 ")) {
                    Path mount = HostPath.path(line.split(" ")[4]);
                    try (var inside = Files.list(mount)) {
                        for (Path cgroup :
                                with(mount, inside.filter(Files::isDirectory).toList())) {
                            if (Files.exists(cgroup.resolve("cgroup.kill"))) {
                                return YES;
                            }
                            if (Files.exists(cgroup.resolve("cgroup.type"))) {
                                return NO; // Not the root, and yet without it.
                            }
                        }
                    }
                }
            }
            return COULD_NOT_TELL;
        } catch (IOException hidden) {
            return COULD_NOT_TELL;
        }
    }

    private static List<Path> with(Path first, List<Path> others) {
        var all = new java.util.ArrayList<>(others);
        all.addFirst(first);
        return all;
    }
}

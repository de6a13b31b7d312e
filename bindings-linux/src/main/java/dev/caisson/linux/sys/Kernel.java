// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Feature;
import dev.caisson.linux.Syscall;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/**
 * What this machine's kernel can do for this process: each feature is tried when it is first asked for, and remembered.
 * Thread-safe.
 */
public final class Kernel {
    private static final int FSCONFIG_SET_STRING = 1;
    private static final int FSOPEN_CLOEXEC = 1;
    private static final int SECCOMP_GET_ACTION_AVAIL = 2;
    private static final int SECCOMP_RET_USER_NOTIF = 0x7fc00000;
    private static final int SECCOMP_RET_ERRNO = 0x00050000;

    /** What a trial said. */
    public enum Answer {
        YES,
        NO,
        /** This process may not even try; a launch will show. */
        COULD_NOT_TELL
    }

    private final Map<Feature, Answer> answers = new EnumMap<>(Feature.class);
    private final Set<Feature> without;

    private Kernel(Set<Feature> without) {
        this.without = without;
    }

    public static Kernel ofThisMachine() {
        return new Kernel(Set.of());
    }

    /** {@return this kernel as if it lacked some features, so that what is done without them can be tested} */
    public Kernel without(Feature... features) {
        var missing = EnumSet.noneOf(Feature.class);
        missing.addAll(without);
        missing.addAll(Set.of(features));
        return new Kernel(missing);
    }

    /** {@return whether to use a feature: it is there, or nothing speaks against trying} */
    public boolean has(Feature feature) {
        return probe(feature) != Answer.NO;
    }

    public Answer probe(Feature feature) {
        if (without.contains(feature)) {
            return Answer.NO;
        }
        synchronized (answers) {
            return answers.computeIfAbsent(feature, Kernel::attempt);
        }
    }

    private static Answer attempt(Feature feature) {
        return switch (feature) {
            // A bad size is refused with EINVAL where the call exists, before anything is done.
            case CLONE3, CLONE_CLEAR_SIGHAND -> exists(Syscall.CLONE3);
            case PIDFD -> exists(Syscall.PIDFD_SEND_SIGNAL);
            case PIDFD_SETNS -> exists(Syscall.SETNS);
            case CLOSE_RANGE -> closeRange();
            case OPENAT2 -> exists(Syscall.OPENAT2);
            case NEW_MOUNT_API -> exists(Syscall.FSOPEN);
            case MOUNT_SETATTR, IDMAPPED_MOUNTS -> exists(Syscall.MOUNT_SETATTR);
            case OVERLAY -> fileSystem();
            case OVERLAY_LOWERDIR_APPEND -> overlayOption("lowerdir+", "/");
            case USER_NAMESPACE -> file("/proc/self/ns/user");
            case TIME_NAMESPACE -> file("/proc/self/ns/time_for_children");
            case CGROUP_NAMESPACE -> file("/proc/self/ns/cgroup");
            case SECCOMP_FILTER -> seccompAction(SECCOMP_RET_ERRNO);
            case SECCOMP_USER_NOTIFICATION -> seccompAction(SECCOMP_RET_USER_NOTIF);
            case LANDLOCK -> landlock();
            case CLONE_INTO_CGROUP,
                    CGROUP_KILL,
                    MOUNT_BENEATH_DETACHED,
                    OVERLAY_USERXATTR,
                    TIME_NAMESPACE_AT_EXEC,
                    SECCOMP_WAIT_KILLABLE,
                    AMBIENT_CAPABILITIES -> Answer.COULD_NOT_TELL;
        };
    }

    private static Answer exists(Syscall syscall) {
        long result = Native.call(syscall, -1, 0, 0, -1, 0, 0);
        return result == -Errno.ENOSYS.code() ? Answer.NO : Answer.YES;
    }

    private static Answer closeRange() {
        // An empty range far above any descriptor: valid, and closes nothing.
        long result = Native.call(Syscall.CLOSE_RANGE, 0x7fff_fff0L, 0x7fff_fff0L, 4);
        return Native.failed(result) ? Answer.NO : Answer.YES;
    }

    private static Answer file(String path) {
        return java.nio.file.Files.exists(Path.of(path), java.nio.file.LinkOption.NOFOLLOW_LINKS)
                ? Answer.YES
                : Answer.NO;
    }

    private static Answer fileSystem() {
        try (var arena = Arena.ofConfined()) {
            long context =
                    Native.call(Syscall.FSOPEN, arena.allocateFrom("overlay").address(), FSOPEN_CLOEXEC, 0);
            if (Native.failed(context)) {
                return context == -Errno.EPERM.code() ? Answer.COULD_NOT_TELL : Answer.NO;
            }
            Fd.owning(context).close();
            return Answer.YES;
        }
    }

    private static Answer overlayOption(String key, String value) {
        try (var arena = Arena.ofConfined()) {
            long context =
                    Native.call(Syscall.FSOPEN, arena.allocateFrom("overlay").address(), FSOPEN_CLOEXEC, 0);
            if (Native.failed(context)) {
                return Answer.COULD_NOT_TELL;
            }
            try (var fd = Fd.owning(context)) {
                long result = Native.call(
                        Syscall.FSCONFIG,
                        fd.number(),
                        FSCONFIG_SET_STRING,
                        arena.allocateFrom(key).address(),
                        arena.allocateFrom(value).address(),
                        0,
                        0);
                return Native.failed(result) ? Answer.NO : Answer.YES;
            }
        }
    }

    private static Answer seccompAction(int action) {
        try (var arena = Arena.ofConfined()) {
            var word = arena.allocateFrom(java.lang.foreign.ValueLayout.JAVA_INT, action);
            long result = Native.call(Syscall.SECCOMP, SECCOMP_GET_ACTION_AVAIL, 0, word.address());
            return Native.failed(result) ? Answer.NO : Answer.YES;
        }
    }

    private static Answer landlock() {
        // A null attribute with the version flag asks for the ABI version.
        long version = Native.call(Syscall.LANDLOCK_CREATE_RULESET, 0, 0, 1);
        return Native.failed(version) ? Answer.NO : Answer.YES;
    }
}

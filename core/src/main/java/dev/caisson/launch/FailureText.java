// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.child.Step;
import dev.caisson.linux.sys.WaitStatus;
import java.util.Optional;

/** A failed step as one line that helps: what was being done, the call, the errno, the likely cause, the remedy. */
public final class FailureText {
    private static final int LONGEST_CALL = 400;

    private FailureText() {}

    /** {@return the message for a step that the kernel refused} */
    public static String of(Step step, Errno errno) {
        return of(step, errno, Optional.empty());
    }

    /**
     * {@return the message for a step that the kernel refused}
     *
     * @param cause what is known to be the cause; empty: a likely one is guessed
     */
    public static String of(Step step, Errno errno, Optional<String> cause) {
        return of(step, errno, "", cause);
    }

    /**
     * {@return the message for a step that the kernel refused}
     *
     * @param kernel what the kernel said beyond the errno, or empty
     * @param cause what is known to be the cause; empty: a likely one is guessed
     */
    static String of(Step step, Errno errno, String kernel, Optional<String> cause) {
        return step.purpose() + ": " + call(step) + " = " + errno
                + (kernel.isEmpty() ? "" : "; the kernel says: " + kernel)
                + cause.or(() -> hint(step, errno)).map(h -> "; " + h).orElse("");
    }

    /** {@return the message for a child that was killed before its execve} */
    public static String died(WaitStatus status) {
        boolean killed = status.signal().orElse(0) == 9;
        return "the container " + status + " before its command was run"
                + (killed ? "; likely its memory limit is too small even to start, raise memoryMax" : "");
    }

    /** {@return the message for a clone3 that the kernel refused} */
    public static String clone(String call, boolean intoCgroup, Errno errno, HostFacts host) {
        String text = "create the namespaces: " + call + " = " + errno;
        if (errno.equals(Errno.EPERM)) {
            return text + "; "
                    + (host.isPrivileged()
                            ? "a seccomp filter or LSM around this JVM may forbid it"
                            : userNamespaceKnob());
        }
        if (errno.equals(Errno.ENOSPC) || errno.equals(Errno.EUSERS)) {
            return text + "; " + userNamespaceKnob() + ", or namespaces are nested too deep (32)";
        }
        if (errno.equals(Errno.EAGAIN)) {
            return text + "; the pids limit of a cgroup or RLIMIT_NPROC is reached";
        }
        if (intoCgroup) {
            if (errno.equals(Errno.EBUSY) || errno.equals(Errno.EOPNOTSUPP)) {
                return text + "; the cgroup takes no processes: it gives controllers to its children, or is threaded";
            }
            if (errno.equals(Errno.EACCES) || errno.equals(Errno.ENODEV)) {
                return text
                        + (errno.equals(Errno.ENODEV)
                                ? "; somebody removed the cgroup"
                                : "; this user may not move processes between its own cgroup and the container's: both"
                                        + " must lie in a cgroup delegated to it");
            }
        }
        return text;
    }

    /** {@return which setting of this host keeps an ordinary user from user namespaces, and how to allow it} */
    public static String userNamespaceKnob() {
        if (ProcFile.line("/proc/sys/user/max_user_namespaces")
                .filter("0"::equals)
                .isPresent()) {
            return "user.max_user_namespaces is 0; allow them with: sysctl -w user.max_user_namespaces=15000";
        }
        if (ProcFile.line("/proc/sys/kernel/unprivileged_userns_clone")
                .filter("0"::equals)
                .isPresent()) {
            return "kernel.unprivileged_userns_clone is 0; allow them with: sysctl -w"
                    + " kernel.unprivileged_userns_clone=1";
        }
        if (ProcFile.line("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
                .filter("1"::equals)
                .isPresent()) {
            return "kernel.apparmor_restrict_unprivileged_userns is 1 (Ubuntu 23.10 and later); give java an AppArmor"
                    + " profile with \"userns,\", or: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0";
        }
        return "a seccomp filter or LSM around this JVM may forbid user namespaces (Docker's default profile does;"
                + " there, use --security-opt seccomp=unconfined)";
    }

    /** {@return what AppArmor has to do with a refusal, if it confines this JVM and so its children} */
    public static Optional<String> confinement() {
        return ProcFile.line("/proc/self/attr/current")
                .filter(line -> line.endsWith(" (enforce)"))
                .map(line -> "the AppArmor profile " + line.replace(" (enforce)", "")
                        + " confines this JVM; for containers it"
                        + " needs flags=(attach_disconnected) and the rules mount, umount, pivot_root");
    }

    /** {@return the call of a step as strace prints it, cut where it has very many or long arguments} */
    public static String call(Step step) {
        String whole = whole(step);
        return whole.length() <= LONGEST_CALL
                ? whole
                : whole.substring(0, LONGEST_CALL) + "... (" + whole.length() + " characters)";
    }

    private static String whole(Step step) {
        return switch (step.operation()) {
            case Step.Invoke i -> i.call().toString();
            case Step.Execute e -> e.call().toString();
            case Step.Fail _, Step.Branch _, Step.Load _, Step.Store _, Step.Add _, Step.Enter _ -> step.toString();
        };
    }

    /** {@return whether a step makes a file or directory, for something to be mounted on} */
    private static boolean isMaking(Step step) {
        return step.operation() instanceof Step.Invoke invoke
                && (invoke.call().syscall().equals(Syscall.MKDIRAT)
                        || invoke.call().syscall().equals(Syscall.MKNODAT));
    }

    private static Optional<String> hint(Step step, Errno errno) {
        var confined = errno.equals(Errno.EACCES) ? confinement() : Optional.<String>empty();
        if (confined.isPresent()) {
            return confined;
        }
        if (LaunchTask.RUN_PROGRAM.isOf(step) && errno.equals(Errno.ENOENT)) {
            return Optional.of(
                    "the file is not in the container's root, or the interpreter it names (#! line or dynamic"
                            + " loader) is not");
        }
        if (LaunchTask.FIND_PROGRAM.isOf(step)) {
            return Optional.of(
                    errno.equals(Errno.EACCES)
                            ? "it is there, but this user may not execute it"
                            : "no directory of PATH in the container has it; name it by its absolute path");
        }
        if (LaunchTask.FORK_COMMAND.isOf(step) && errno.equals(Errno.EAGAIN)) {
            return Optional.of("pidsMax or RLIMIT_NPROC leaves no room for it beside the init, which is a process, too:"
                    + " raise that limit by one, or call withoutInit()");
        }
        if (errno.equals(Errno.ETOOMANYREFS)) {
            return Optional.of(
                    "as many descriptors wait in sockets as this user may have open (RLIMIT_NOFILE); raise that"
                            + " limit, or close containers that have ended");
        }
        if (errno.equals(Errno.E2BIG)) {
            return Optional.of("the arguments and the environment together may be a quarter of the stack's limit"
                    + " (RLIMIT_STACK; 2 MB as a rule, 6 MB at most), and each one 128 KB: pass much data by stdin or a"
                    + " file");
        }
        if (errno.equals(Errno.ENOEXEC)) {
            return Optional.of("neither a binary of this architecture nor a script with a #! line");
        }
        if (errno.equals(Errno.EACCES) && LaunchTask.RUN_PROGRAM.isOf(step)) {
            return Optional.of("this user may not execute it, or its file system is mounted noexec");
        }
        if (LaunchTask.MOUNT_PROC.isOf(step) && errno.equals(Errno.EPERM)) {
            return Optional.of(
                    "the host's own /proc is covered in part, as inside Docker, and then a user namespace may not"
                            + " have a new one; keep the host's with host(Namespace.PID)");
        }
        if (LaunchTask.INSTALL_FILTER.isOf(step) && errno.equals(Errno.EBUSY)) {
            return Optional.of(
                    "another supervisor listens to the calls of this JVM already, as a container manager's may,"
                            + " and the kernel allows one: leave the supervisors out of the policy");
        }
        if (LaunchTask.CHECK_SOURCE.isOf(step) && errno.equals(Errno.ESTALE)) {
            return Optional.of("it was exchanged for something else, a directory or device say, during the start: "
                    + "somebody untrusted may write to the directory above it");
        }
        if (isMaking(step) && errno.equals(Errno.EACCES)) {
            return Optional.of("the root has no such path, and the container's root user may not make it in a directory"
                    + " that is not its own: make it beforehand, or name the directory by lower() instead of rootfs()");
        }
        if (isMaking(step) && errno.equals(Errno.EROFS)) {
            return Optional.of(
                    "the root has no such path, and its file system is read-only: make it beforehand, or name"
                            + " the directory by lower() instead of rootfs()");
        }
        if (LaunchTask.PLACE_MOUNT.isOf(step) && errno.equals(Errno.ENOTDIR)) {
            return Optional.of("a directory is to be mounted there, and the target, or something on the way to it, is a"
                    + " file: name another target, or a file as the source");
        }
        if (LaunchTask.PLACE_MOUNT.isOf(step) && errno.equals(Errno.EINVAL)) {
            return Optional.of(
                    "a file is to be mounted there, and the target is a directory: name a file as the target,"
                            + " or a directory as the source");
        }
        if (LaunchTask.RESTRICT_PATH.isOf(step) && errno.equals(Errno.ENOENT)) {
            return Optional.of("what is to be restricted must be there, or it could come back after the start: leave it"
                    + " out for an image that has no such path");
        }
        if (LaunchTask.OPEN_TERMINAL.isOf(step) && errno.equals(Errno.ENOSPC)) {
            return Optional.of("there are as many terminals as the host allows (/proc/sys/kernel/pty/max and reserve)");
        }
        if (LaunchTask.FIND_DEVPTS.isOf(step)) {
            return Optional.of("a terminal is made in the devpts that the container has on /dev/pts, and there it has"
                    + " none: leave the terminal out");
        }
        if (errno.equals(Errno.ELOOP)) {
            return Optional.of("the image has a symbolic link where a directory belongs; it may be hostile");
        }
        if (errno.equals(Errno.ENOENT)) {
            return Optional.of("the path does not exist, or a symbolic link on it leads to nothing inside the root");
        }
        if (errno.equals(Errno.EPERM) && !step.needs().isEmpty()) {
            return Optional.of("it requires " + step.needs());
        }
        return Optional.empty();
    }
}

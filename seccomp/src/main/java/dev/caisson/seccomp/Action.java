// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.linux.Errno;

/**
 * What the kernel does about a system call (SECCOMP_RET_ values, seccomp(2)). Of several filters the strictest action counts,
 * in the order of the kernel: kill process, kill thread, trap, fail, notify, trace, log, allow.
 */
public sealed interface Action {
    /** The call is made. */
    record Allow() implements Action {}

    /** The whole process dies of SIGSYS, as if uncaught. Linux 4.14. */
    record KillProcess() implements Action {}

    /** The calling thread dies of SIGSYS; what is left of the process may misbehave. */
    record KillThread() implements Action {}

    /**
     * The thread gets SIGSYS and may handle it.
     *
     * @param data 0 to 65535, the signal's {@code si_errno}
     */
    record Trap(int data) implements Action {
        public Trap {
            checkData("trap", data, 0xffff);
        }
    }

    /**
     * The call is not made and fails.
     *
     * @param errno 1 to 4095; 0 for a call that is not made and returns 0
     */
    record Fail(int errno) implements Action {
        public Fail {
            checkData("errno", errno, 4095);
        }
    }

    /** A supervisor decides (seccomp_unotify(2)); without one the call fails with ENOSYS. Linux 5.0. */
    record Notify() implements Action {}

    /**
     * A ptrace(2) tracer decides; without one the call fails with ENOSYS.
     *
     * @param data 0 to 65535, the tracer's PTRACE_GETEVENTMSG
     */
    record Trace(int data) implements Action {
        public Trace {
            checkData("trace", data, 0xffff);
        }
    }

    /** The call is made and stands in the audit log. Linux 4.14. */
    record Log() implements Action {}

    /** {@return the call is made} */
    static Action allow() {
        return new Allow();
    }

    /** {@return the whole process dies of SIGSYS; Linux 4.14} */
    static Action killProcess() {
        return new KillProcess();
    }

    /** {@return the calling thread dies of SIGSYS; what is left of the process may misbehave} */
    static Action killThread() {
        return new KillThread();
    }

    /** {@return the thread gets SIGSYS, with 0 as {@code si_errno}, and may handle it} */
    static Action trap() {
        return new Trap(0);
    }

    /** {@return the call is not made and fails} */
    static Action fail(Errno errno) {
        return new Fail(errno.code());
    }

    /** {@return a supervisor decides; without one the call fails with ENOSYS. Linux 5.0} */
    static Action supervise() {
        return new Notify();
    }

    /**
     * {@return a ptrace(2) tracer decides; without one the call fails with ENOSYS}
     *
     * @param data 0 to 65535, the tracer's PTRACE_GETEVENTMSG
     * @throws IllegalArgumentException if it is not
     */
    static Action trace(int data) {
        return new Trace(data);
    }

    /** {@return the call is made and stands in the audit log; Linux 4.14} */
    static Action log() {
        return new Log();
    }

    private static void checkData(String option, int value, int most) {
        if (value < 0 || value > most) {
            throw new IllegalArgumentException(option + ": " + value + " is not within 0 to " + most);
        }
    }

    /** {@return the word that a filter returns for it} */
    default int returnValue() {
        return switch (this) {
            case KillProcess() -> 0x8000_0000;
            case KillThread() -> 0;
            case Trap(int data) -> 0x0003_0000 | data;
            case Fail(int errno) -> 0x0005_0000 | errno;
            case Notify() -> 0x7fc0_0000;
            case Trace(int data) -> 0x7ff0_0000 | data;
            case Log() -> 0x7ffc_0000;
            case Allow() -> 0x7fff_0000;
        };
    }

    /** {@return the action of a returned word; what no kernel knows kills the process, as in the kernel} */
    static Action of(int returnValue) {
        int data = returnValue & 0xffff;
        return switch (returnValue & 0xffff_0000) {
            case 0 -> new KillThread();
            case 0x0003_0000 -> new Trap(data);
            case 0x0005_0000 -> new Fail(Math.min(data, 4095));
            case 0x7fc0_0000 -> new Notify();
            case 0x7ff0_0000 -> new Trace(data);
            case 0x7ffc_0000 -> new Log();
            case 0x7fff_0000 -> new Allow();
            default -> new KillProcess();
        };
    }

    /** {@return whether the call is made} */
    default boolean isAllowed() {
        return this instanceof Allow || this instanceof Log;
    }

    /** {@return whether the call is certainly not made, and nobody is asked} */
    default boolean isRefused() {
        return switch (this) {
            case KillProcess _, KillThread _, Trap _, Fail _ -> true;
            case Notify _, Trace _, Log _, Allow _ -> false;
        };
    }

    /** {@return the action in words, as {@code fail with EPERM}} */
    default String text() {
        return switch (this) {
            case KillProcess() -> "kill the process";
            case KillThread() -> "kill the thread";
            case Trap(int data) -> data == 0 ? "trap" : "trap " + data;
            case Fail(int errno) -> errno == 0 ? "return 0" : "fail with " + errnoName(errno);
            case Notify() -> "notify";
            case Trace(int data) -> "trace " + data;
            case Log() -> "log";
            case Allow() -> "allow";
        };
    }

    private static String errnoName(int errno) {
        return new Errno(errno).toString().replaceFirst(" .*", "");
    }
}

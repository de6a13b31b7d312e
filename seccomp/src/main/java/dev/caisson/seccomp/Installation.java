// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Native;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.EnumSet;

/** Installs a filter in this JVM. All that can be checked is checked before the first irreversible step. */
final class Installation {
    private static final int PR_GET_NO_NEW_PRIVS = 39;
    private static final int PR_SET_NO_NEW_PRIVS = 38;
    private static final int SET_MODE_FILTER = 1;
    private static final int SOCK_FPROG_SIZE = 16;
    private static final int SOCK_FPROG_FILTER = 8;

    private Installation() {}

    static void install(Filter filter, Filter.Scope scope, Filter.Privileges privileges) throws IOException {
        if (Thread.currentThread().isVirtual()) {
            throw new IllegalStateException(
                    "a filter on a virtual thread would stay on its carrier: install it from a platform thread");
        }
        var flags = EnumSet.noneOf(Filter.Flag.class);
        flags.addAll(filter.policy().flags());
        if (flags.contains(Filter.Flag.NEW_LISTENER) || filter.policy().isSupervised()) {
            throw new IllegalStateException("a filter with a supervisor is for a container: a thread of this JVM that"
                    + " waits for this JVM can wait for ever");
        }
        if (scope == Filter.Scope.PROCESS) {
            flags.add(Filter.Flag.TSYNC);
        }
        refuseWhatTheKernelLacks(filter, flags);
        if (privileges == Filter.Privileges.NO_NEW) {
            check(Native.call(Syscall.PRCTL, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0), "prctl(PR_SET_NO_NEW_PRIVS, 1)", "");
        }
        byte[] bytes = filter.program().bytes();
        try (var arena = Arena.ofConfined()) {
            var program = arena.allocate(bytes.length, Long.BYTES);
            program.copyFrom(java.lang.foreign.MemorySegment.ofArray(bytes));
            var fprog = arena.allocate(SOCK_FPROG_SIZE, Long.BYTES);
            fprog.set(ValueLayout.JAVA_SHORT, 0, (short) filter.instructions().size());
            fprog.set(ValueLayout.JAVA_LONG, SOCK_FPROG_FILTER, program.address());
            long result = Native.call(Syscall.SECCOMP, SET_MODE_FILTER, Filter.Flag.bits(flags), fprog.address());
            String call = "seccomp(SECCOMP_SET_MODE_FILTER, " + flags + ", {len="
                    + filter.instructions().size() + ", filter=...})";
            if (result > 0) {
                throw new IOException("install seccomp filter: " + call + " = " + result + "; thread " + result
                        + " has a filter this thread does not have, so not all threads can get the same:"
                        + " install process filters before thread filters");
            }
            check(result, call, hint(result));
        }
    }

    private static void refuseWhatTheKernelLacks(Filter filter, EnumSet<Filter.Flag> flags) throws IOException {
        var faults = filter.program().faults();
        if (!faults.isEmpty()) {
            throw new IllegalStateException("the kernel would refuse the program: " + faults.getFirst());
        }
        var actions = new java.util.LinkedHashSet<Action>();
        actions.add(filter.policy().otherwise());
        filter.policy().rules().forEach(r -> actions.add(r.action()));
        actions.add(Action.killProcess());
        for (var action : actions) {
            if (!SeccompSupport.has(action)) {
                throw new IOException(
                        "install seccomp filter: this kernel lacks the action \"" + action.text()
                                + "\" (/proc/sys/kernel/seccomp/actions_avail lists what it has); choose another",
                        new LinuxException(
                                Errno.EOPNOTSUPP, "seccomp(SECCOMP_GET_ACTION_AVAIL, " + action.text() + ")"));
            }
        }
        for (var flag : flags) {
            if (!SeccompSupport.has(flag)) {
                throw new IOException(
                        "install seccomp filter: this kernel lacks " + flag.ociName(),
                        new LinuxException(Errno.EINVAL, "seccomp(SECCOMP_SET_MODE_FILTER, " + flag + ", NULL)"));
            }
        }
    }

    private static String hint(long result) {
        if (result != -Errno.EACCES.code()) {
            return "";
        }
        boolean isSet = Native.call(Syscall.PRCTL, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0, 0) == 1;
        return isSet ? "" : "; it requires CAP_SYS_ADMIN, or no_new_privs: install with Privileges.NO_NEW";
    }

    private static void check(long result, String call, String hint) throws IOException {
        if (Native.failed(result)) {
            var cause = new LinuxException(Native.errno(result), call);
            throw new IOException("install seccomp filter: " + cause.getMessage() + hint, cause);
        }
    }
}

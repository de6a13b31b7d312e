// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Native;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/**
 * What this kernel's seccomp can do, asked of the kernel itself. Immutable.
 *
 * @param actions one of each kind that it has
 * @param flags those it takes
 */
public record SeccompSupport(Set<Class<? extends Action>> actions, Set<Filter.Flag> flags) {
    private static final int SET_MODE_FILTER = 1;
    private static final int GET_ACTION_AVAIL = 2;

    public SeccompSupport {
        actions = Set.copyOf(actions);
        flags = Collections.unmodifiableSet(
                flags.isEmpty() ? EnumSet.noneOf(Filter.Flag.class) : EnumSet.copyOf(flags));
    }

    /** {@return what this host can do} Nothing is installed. */
    public static SeccompSupport probe() {
        var actions = new java.util.HashSet<Class<? extends Action>>();
        for (var action : java.util.List.of(
                Action.allow(),
                Action.log(),
                Action.trace(0),
                Action.supervise(),
                new Action.Fail(1),
                Action.trap(),
                Action.killThread(),
                Action.killProcess())) {
            if (has(action)) {
                actions.add(action.getClass());
            }
        }
        var flags = EnumSet.noneOf(Filter.Flag.class);
        for (var flag : Filter.Flag.values()) {
            if (has(flag)) {
                flags.add(flag);
            }
        }
        return new SeccompSupport(actions, flags);
    }

    static boolean has(Action action) {
        try (var arena = Arena.ofConfined()) {
            var word = arena.allocateFrom(ValueLayout.JAVA_INT, action.returnValue() & 0xffff_0000);
            return !Native.failed(Native.call(Syscall.SECCOMP, GET_ACTION_AVAIL, 0, word.address()));
        }
    }

    /** A program at address 0 is refused with EFAULT, but an unknown flag with EINVAL, before that. */
    static boolean has(Filter.Flag flag) {
        var flags = EnumSet.of(flag);
        if (flag == Filter.Flag.WAIT_KILLABLE_RECV) {
            flags.add(Filter.Flag.NEW_LISTENER);
        }
        long result = Native.call(Syscall.SECCOMP, SET_MODE_FILTER, Filter.Flag.bits(flags), 0);
        return result == -Errno.EFAULT.code();
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.testkit.Need;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** The C library of this machine as a second opinion, called without our bindings. */
@SuppressWarnings("restricted")
final class CLibrary {
    private static final Linker LINKER = Linker.nativeLinker();

    private CLibrary() {}

    static void needs(String function) {
        Need.C_FUNCTION.orSkip(
                LINKER.defaultLookup().find(function).isPresent(), "the C library of this machine lacks " + function);
    }

    /** What {@code const char *function(int)} says; empty if it is NULL. */
    static Optional<String> text(String function, int argument) {
        MemorySegment text = (MemorySegment) call(function, FunctionDescriptor.of(ADDRESS, JAVA_INT), argument);
        return text.address() == 0
                ? Optional.empty()
                : Optional.of(text.reinterpret(Long.MAX_VALUE).getString(0));
    }

    static int number(String function) {
        return (int) call(function, FunctionDescriptor.of(JAVA_INT));
    }

    static long systemCall(int number) {
        return (long) call("syscall", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG), (long) number);
    }

    private static Object call(String function, FunctionDescriptor descriptor, Object... arguments) {
        try {
            return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(function), descriptor)
                    .invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new AssertionError(function, e);
        }
    }
}

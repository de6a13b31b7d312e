// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;

/**
 * The door to the kernel: every system call this process makes for itself goes through {@link #call}. One handle serves them
 * all, and our own machine code too, since each further shape that is linked costs a new JVM milliseconds. Errno is captured
 * within the very call, because the JVM may overwrite it before Java code runs again.
 *
 * <p>Results follow the kernel's own convention: negative values down to -4095 are {@code -errno}.
 */
public final class Native {
    private static final StructLayout STATE = Linker.Option.captureStateLayout();

    /** Where errno lies in {@link #STATE}. Not asked of the layout: that would be a second handle to make. */
    static final long ERRNO = 0;

    /** What is linked is also told to GraalVM, by META-INF/native-image. */
    static final FunctionDescriptor SHAPE = FunctionDescriptor.of(
            JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

    private static final MethodHandle DOWNCALL = link();

    /** libc's {@code syscall(2)}. */
    private static final MemorySegment SYSCALL =
            Linker.nativeLinker().defaultLookup().findOrThrow("syscall");

    private Native() {}

    private static MethodHandle link() {
        try {
            return Linker.nativeLinker()
                    .downcallHandle(SHAPE, Linker.Option.firstVariadicArg(1), Linker.Option.captureCallState("errno"));
        } catch (IllegalCallerException denied) {
            // Thrown by each call, not once by the initializer of this class, after which nobody would see it again.
            var type = SHAPE.toMethodType().insertParameterTypes(0, MemorySegment.class, MemorySegment.class);
            var thrower = MethodHandles.throwException(type.returnType(), IllegalCallerException.class)
                    .bindTo(new IllegalCallerException(nativeAccess(), denied));
            return MethodHandles.dropArguments(thrower, 0, type.parameterList());
        }
    }

    /** {@return what to do where this JVM denies native access} */
    private static String nativeAccess() {
        var module = Native.class.getModule();
        return "Caisson makes system calls, which this JVM denies to it; start java with --enable-native-access="
                + (module.isNamed() ? module.getName() : "ALL-UNNAMED");
    }

    /** {@return the call's result, or {@code -errno}} */
    public static long call(Syscall syscall, long a, long b, long c, long d, long e, long f) {
        return call(number(syscall), a, b, c, d, e, f);
    }

    /** {@return the call's result, or {@code -errno}} */
    public static long call(Syscall syscall, long a, long b, long c) {
        return call(syscall, a, b, c, 0, 0, 0);
    }

    /** {@return the call's result, or {@code -errno}} */
    public static long call(Syscall syscall, long a) {
        return call(syscall, a, 0, 0, 0, 0, 0);
    }

    /** {@return memory for the errno of many calls of one thread, where allocating some for each would count} */
    public static MemorySegment errnoMemory(Arena arena) {
        return arena.allocate(STATE);
    }

    /**
     * {@return the call's result, or {@code -errno}}
     *
     * @param errno from {@link #errnoMemory}
     */
    public static long call(MemorySegment errno, Syscall syscall, long a, long b, long c, long d) {
        return call(errno, syscall, a, b, c, d, 0, 0);
    }

    static long call(MemorySegment errno, Syscall syscall, long a, long b, long c, long d, long e, long f) {
        return call(errno, number(syscall), a, b, c, d, e, f);
    }

    static long call(int number, long a, long b, long c, long d, long e, long f) {
        try (var arena = Arena.ofConfined()) {
            return call(arena.allocate(STATE), number, a, b, c, d, e, f);
        }
    }

    private static long call(MemorySegment state, int number, long a, long b, long c, long d, long e, long f) {
        long result = call(SYSCALL, state, number, a, b, c, d, e, f);
        return result == -1 ? -state.get(JAVA_INT, ERRNO) : result;
    }

    /**
     * Runs machine code of ours.
     *
     * @return what it returns, by the kernel's convention too
     */
    public static long run(MemorySegment code, long argument) {
        try (var arena = Arena.ofConfined()) {
            return call(code, arena.allocate(STATE), argument, 0, 0, 0, 0, 0, 0);
        }
    }

    private static long call(
            MemorySegment code, MemorySegment state, long a, long b, long c, long d, long e, long f, long g) {
        try {
            return (long) DOWNCALL.invokeExact(code, state, a, b, c, d, e, f, g);
        } catch (RuntimeException | Error unexpected) {
            throw unexpected;
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static int number(Syscall syscall) {
        var number = syscall.number(Arch.host());
        if (number.isEmpty()) {
            throw new UnsupportedOperationException(syscall + " does not exist on " + Arch.host());
        }
        return number.getAsInt();
    }

    /** {@return whether a result is an error in the kernel's convention} */
    public static boolean failed(long result) {
        return result < 0 && result >= -4095;
    }

    /** {@return the errno of a failed result} */
    public static Errno errno(long result) {
        return new Errno((int) -result);
    }
}

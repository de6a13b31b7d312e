// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Optional;
import java.util.OptionalInt;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SyscallTest {
    /** The first number that all architectures share: calls added since Linux 5.1. */
    private static final int FIRST_COMMON = 424;

    @Test
    void theKernelTakesTheNumbersOfTheHostForTheCallsTheyName() throws Exception {
        long parent = ProcessHandle.current().parent().orElseThrow().pid();
        assertEquals(ProcessHandle.current().pid(), call(Syscall.GETPID));
        assertEquals(parent, call(Syscall.GETPPID));
        assertEquals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"), (int) call(Syscall.GETUID));
        Path thread = Files.readSymbolicLink(Path.of("/proc/thread-self"));
        assertEquals(thread.getFileName().toString(), Long.toString(call(Syscall.GETTID)));
    }

    /** Taken by hand from the kernel's syscall tables. */
    @ParameterizedTest
    @CsvSource({
        "read, X86_64, 0",
        "openat2, X86_64, 437",
        "openat2, AARCH64, 437",
        "clone3, X86, 435",
        "execve, X86_64, 59",
        "execve, X86, 11",
        "execve, X32, 1073742344",
        "execve, AARCH64, 221",
        "socketcall, X86, 102",
        "socketcall, X86_64,",
        "open, AARCH64,",
        "openat, AARCH64, 56",
        "fstatat64, X86, 300",
        "newfstatat, X86_64, 262",
        "_sysctl, X86, 149",
        "_sysctl, X86_64, 156",
        "_sysctl, AARCH64,",
        "_newselect, X86, 142",
        "mmap2, X86, 192",
        "rt_sigaction, X32, 1073742336",
        "rt_sigaction, X86_64, 13"
    })
    void knowsWhichConventionHasWhichNumber(String name, Arch arch, Integer number) {
        Syscall call = Syscall.of(name).orElseThrow();
        assertEquals(number == null ? OptionalInt.empty() : OptionalInt.of(number), call.number(arch));
    }

    @Test
    void nameIsTheKernelsInLowerCase() {
        assertEquals("_sysctl", Syscall._SYSCTL.toString());
        for (Syscall call : Syscall.values()) {
            assertTrue(call.kernelName().equalsIgnoreCase(call.name()), call.kernelName());
            assertEquals(Optional.of(call), Syscall.of(call.kernelName()));
        }
        assertEquals(Optional.empty(), Syscall.of("READ"));
        assertEquals(Optional.empty(), Syscall.of("arm_fadvise64_64"));
    }

    @ParameterizedTest
    @EnumSource
    void everyNumberLeadsBackToItsCall(Arch arch) {
        var seen = new HashSet<Integer>();
        for (Syscall call : Syscall.values()) {
            call.number(arch).ifPresent(number -> {
                assertTrue(seen.add(number), call + " shares a number");
                assertEquals(Optional.of(call), Syscall.of(arch, number));
            });
        }
        assertTrue(seen.size() > 300, arch + " has only " + seen.size());
    }

    @Property(tries = 5000)
    void aNumberIsACallExactlyWhereTheCallHasIt(@ForAll Arch arch, @ForAll int number) {
        for (int candidate : new int[] {number, number & 0x3ff, number & 0x3ff | Arch.X32_BIT}) {
            Optional<Syscall> expected = Arrays.stream(Syscall.values())
                    .filter(call -> call.number(arch).equals(OptionalInt.of(candidate)))
                    .findAny();
            assertEquals(expected, Syscall.of(arch, candidate));
        }
    }

    @Test
    void callsSinceLinux51HaveOneNumberEverywhere() {
        for (Syscall call : Syscall.values()) {
            int[] numbers = Arrays.stream(Arch.values())
                    .map(call::number)
                    .flatMapToInt(OptionalInt::stream)
                    .map(number -> number & ~Arch.X32_BIT)
                    .filter(number -> number >= FIRST_COMMON && number < 512)
                    .distinct()
                    .toArray();
            assertTrue(numbers.length <= 1, call + " has " + Arrays.toString(numbers));
        }
    }

    private static long call(Syscall call) {
        return CLibrary.systemCall(call.number(Arch.host()).orElseThrow());
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static dev.caisson.linux.Syscall.SOCKET;
import static dev.caisson.linux.Syscall.SOCKETCALL;
import static dev.caisson.linux.flag.SocketTypes.SOCK_STREAM;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sockets of AF_VSOCK and AF_ALG, which the standard policies refuse, however a program asks for them. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class SocketFamiliesTest {
    private static final int AF_INET = 2;
    private static final int AF_ALG = 38;
    private static final int AF_VSOCK = 40;

    /** The sub-call of socketcall(2) that makes a socket. */
    private static final int MAKE = 1;

    /** The kernel takes the family from the lower half of a register, and a filter sees both. */
    private static final long MORE = 1L << Integer.SIZE;

    @TempDir
    Path directory;

    private int exitCode(Seccomp policy, byte[] program) throws Exception {
        Path file = Files.write(directory.resolve("program"), program);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        var exit = overHost().bind(file, "/program").seccomp(policy).run(List.of("/program"));
        return ((Exit.Exited) exit).code();
    }

    private int socketcall(Seccomp policy, OneCall.Way way, long call, int... words) throws Exception {
        int number = SOCKETCALL.number(Arch.X86).orElseThrow();
        return exitCode(policy, OneCall.program(way, number, call, OneCall.WORDS_AT, 0, words));
    }

    private int socket(Seccomp policy, OneCall.Way way, long family) throws Exception {
        var arch = way == OneCall.Way.X86_64 ? Arch.X86_64 : Arch.X86;
        return exitCode(policy, OneCall.program(way, SOCKET.number(arch).orElseThrow(), family, SOCK_STREAM, 0));
    }

    @BeforeEach
    void runsPrograms() throws Exception {
        Need.IA32.orSkip(Arch.host() == Arch.X86_64, "programs of i386 run on x86-64 alone");
        try {
            assertEquals(0, socket(withSocketcall(), OneCall.Way.I386, AF_INET));
        } catch (ContainerException refused) {
            throw Need.IA32.skipped("this kernel runs no programs of i386: " + refused.getMessage());
        }
    }

    private static Seccomp withSocketcall() {
        return Seccomp.standard().first(rules -> rules.allow(SOCKETCALL));
    }

    @ParameterizedTest
    @EnumSource
    void aSocketOfThemIsNotMade(OneCall.Way way) throws Exception {
        for (var policy : List.of(Seccomp.standard(), Seccomp.forJvm())) {
            for (long family : new long[] {AF_VSOCK, AF_ALG}) {
                assertEquals(Errno.EPERM.code(), socket(policy, way, family));
                assertEquals(Errno.EPERM.code(), socket(policy, way, MORE | family));
            }
            assertEquals(0, socket(policy, way, AF_INET));
        }
        assertEquals(Errno.EACCES.code(), socket(Seccomp.noNetwork(), way, MORE | AF_VSOCK));
    }

    /** socketcall(2) carries the family in memory, where no filter can look. */
    @ParameterizedTest
    @EnumSource(names = {"I386", "I386_FROM_X86_64"})
    void noSocketIsMadeWhoseFamilyNoFilterSees(OneCall.Way way) throws Exception {
        for (var policy : List.of(Seccomp.standard(), Seccomp.forJvm())) {
            assertEquals(Errno.ENOSYS.code(), socketcall(policy, way, MAKE, AF_VSOCK, SOCK_STREAM, 0));
            assertEquals(Errno.ENOSYS.code(), socketcall(policy, way, MAKE, AF_INET, SOCK_STREAM, 0));
        }
        assertEquals(Errno.EACCES.code(), socketcall(Seccomp.noNetwork(), way, MAKE, AF_VSOCK, SOCK_STREAM, 0));
    }

    /** Which glibc for i386 has no other way than. */
    @Test
    void aContainerMayBeTrustedWithAllFamilies() throws Exception {
        assertEquals(0, socketcall(withSocketcall(), OneCall.Way.I386, MAKE, AF_INET, SOCK_STREAM, 0));
    }
}

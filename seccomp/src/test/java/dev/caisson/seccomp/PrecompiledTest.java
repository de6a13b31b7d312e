// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Arch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The committed programs are what the compiler makes today. */
class PrecompiledTest {
    /**
     * Writes the programs anew, after a change of the compiler or the policy: {@code mvn test -pl bindings-linux,seccomp
     * -Dtest=PrecompiledTest -Dcaisson.precompile=$PWD/seccomp/src/main/resources/dev/caisson/seccomp}.
     */
    private static final Optional<String> DIRECTORY = Optional.ofNullable(System.getProperty("caisson.precompile"));

    @ParameterizedTest
    @EnumSource
    void theCommittedProgramIsTheCompilers(Precompiled precompiled) throws IOException {
        for (var host : new Arch[] {Arch.X86_64, Arch.AARCH64}) {
            var program = precompiled.policy(host).compile().program();
            if (DIRECTORY.isPresent()) {
                Files.write(Path.of(DIRECTORY.get()).resolve(precompiled.file(host)), program.bytes());
            } else {
                assertEquals(Optional.of(program), precompiled.read(host), precompiled::name);
                assertEquals(
                        program.listing(), precompiled.read(host).orElseThrow().listing());
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void itIsTakenForItsCapabilitiesAndNoOthers(Precompiled precompiled) {
        var capabilities = precompiled.capabilities();
        assertTrue(Precompiled.of(capabilities).isPresent());
        assertTrue(Precompiled.of(Set.of("CAP_SYS_ADMIN")).isEmpty());
        for (var set : Set.of(capabilities, Set.of("CAP_SYS_ADMIN"))) {
            assertEquals(Seccomp.standard(set).compile().program(), FilterProgram.standard(set));
        }
    }
}

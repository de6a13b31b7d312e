// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.linux.Arch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.Set;

/**
 * The standard policy's programs for the capabilities that most containers have, compiled when Caisson was built: the first
 * container of a JVM need not wait for a compiler that runs for the first time. A test compares them with the compiler's.
 */
enum Precompiled {
    DOCKER("docker"),
    NO_CAPABILITY("none");

    private final String title;

    Precompiled(String title) {
        this.title = title;
    }

    Set<String> capabilities() {
        return this == DOCKER ? DockerCapabilities.NAMES : Set.of();
    }

    /** {@return the program for a container that has some capabilities, if it was compiled} */
    static Optional<FilterProgram> of(Set<String> capabilities) {
        if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
            return Optional.empty();
        }
        for (var candidate : values()) {
            if (candidate.capabilities().equals(capabilities)) {
                return candidate.read(Arch.host());
            }
        }
        return Optional.empty();
    }

    /** {@return the name of its file, beside this class} */
    String file(Arch host) {
        return "standard-" + title + (host == Arch.AARCH64 ? "-aarch64.bpf" : "-x86.bpf");
    }

    /** {@return what is compiled} */
    Seccomp policy(Arch host) {
        return StandardPolicy.of(capabilities(), host);
    }

    /** {@return the program in the file; empty if the file is missing} */
    Optional<FilterProgram> read(Arch host) {
        try (var in = Precompiled.class.getResourceAsStream(file(host))) {
            return in == null ? Optional.empty() : Optional.of(new FilterProgram(in.readAllBytes()));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file(host), e);
        }
    }
}

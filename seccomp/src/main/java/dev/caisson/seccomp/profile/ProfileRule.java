// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.profile;

import dev.caisson.seccomp.Condition;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * An entry of {@code syscalls}.
 *
 * @param line where it was read; 0 if it was not
 * @param names of system calls, of any architecture
 * @param action as {@code SCMP_ACT_ALLOW}
 * @param arguments what is compared; if one argument is compared more than once, each comparison alone suffices, as in runc
 */
public record ProfileRule(
        int line,
        List<String> names,
        String action,
        OptionalInt errnoRet,
        List<Condition> arguments,
        Optional<String> comment,
        Selection includes,
        Selection excludes) {
    public ProfileRule {
        names = List.copyOf(names);
        arguments = List.copyOf(arguments);
    }

    /**
     * For which containers an entry counts (Docker only).
     *
     * @param capabilities as {@code CAP_SYS_ADMIN}
     * @param arches as Go names them: {@code amd64}, {@code arm64}
     */
    public record Selection(List<String> capabilities, List<String> arches, Optional<KernelVersion> minKernel) {
        static final Selection ANY = new Selection(List.of(), List.of(), Optional.empty());

        public Selection {
            capabilities = List.copyOf(capabilities);
            arches = List.copyOf(arches);
        }

        boolean isAny() {
            return equals(ANY);
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import com.google.errorprone.annotations.CheckReturnValue;
import dev.caisson.launch.ImmutableContainerSpec;
import dev.caisson.seccomp.FilterFlag;
import dev.caisson.seccomp.FilterProgram;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.spec.Capabilities;
import dev.caisson.spec.Capability;
import dev.caisson.spec.Securebit;
import java.util.Arrays;
import java.util.Set;

/** What the command may do: capabilities, securebits, no_new_privs, seccomp. */
@CheckReturnValue
abstract class PrivilegeSettings extends ProcessSettings {

    PrivilegeSettings(ImmutableContainerSpec spec) {
        super(spec);
    }

    /** The capability sets as a whole. */
    public ContainerBuilder capabilities(Capabilities capabilities) {
        return with(s -> s.withCapabilities(capabilities));
    }

    public ContainerBuilder addCapabilities(Capability... capabilities) {
        return capabilities(spec.capabilities().orElse(Capabilities.docker()).plus(Arrays.asList(capabilities)));
    }

    public ContainerBuilder dropCapabilities(Capability... capabilities) {
        return capabilities(spec.capabilities().orElse(Capabilities.all()).minus(Arrays.asList(capabilities)));
    }

    public ContainerBuilder securebits(Securebit... bits) {
        return with(s -> s.withSecurebits(Set.of(bits)));
    }

    /** Lets set-user-id programs and file capabilities give privileges. Weakens isolation. */
    public ContainerBuilder allowNewPrivileges() {
        return with(s -> s.withNoNewPrivileges(false));
    }

    /** No program run inside can gain privileges (no_new_privs); the default unless the builder is bare. */
    public ContainerBuilder noNewPrivileges() {
        return with(s -> s.withNoNewPrivileges(true));
    }

    /**
     * Adds a seccomp policy, in place of the default one; of several, the strictest answer counts. Until the command itself
     * runs, the launch makes a few calls under it: execve must be allowed.
     *
     * @throws IllegalArgumentException if it is to be installed with NEW_LISTENER, which would leave the listener inside
     */
    public ContainerBuilder seccomp(Seccomp policy) {
        return filter(policy.compile().program());
    }

    /** Adds a seccomp filter in the kernel's form, in place of the default one; of several, the strictest answer counts. */
    public ContainerBuilder seccomp(byte[] program) {
        return filter(new FilterProgram(program));
    }

    /** Installs no seccomp filter at all, not even the default one. Weakens isolation. */
    public ContainerBuilder seccompUnconfined() {
        return with(s -> s.withSeccompFilters().withStandardSeccomp(false));
    }

    private ContainerBuilder filter(FilterProgram program) {
        if (program.flags().contains(FilterFlag.NEW_LISTENER)) {
            throw new IllegalArgumentException(
                    "seccomp: the flag NEW_LISTENER is not for a container's policy: nobody inside could answer");
        }
        return with(s -> s.withSeccompFilters(plus(s.seccompFilters(), program)));
    }
}

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
import java.util.EnumSet;
import java.util.Optional;
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
     * runs, the launch makes a few calls under it: execve must be allowed, or a supervisor must let it proceed.
     *
     * <p>Its supervisors answer until the container's command has ended; what is left of it then gets ENOSYS, as it does
     * when the JVM ends. A launch waits for a supervisor that is asked about the launch's own calls. Where the policy refuses sendmsg, the JVM needs the right to trace the container
     * (pidfd_getfd(2), Linux 5.6), which root has, and a user over its own user namespaces.
     *
     * @throws IllegalArgumentException if it has supervisors and so has another policy, since the kernel allows one listener;
     *     or if it is to be installed with NEW_LISTENER and has none
     */
    public ContainerBuilder seccomp(Seccomp policy) {
        if (!policy.isSupervised()) {
            return filter(policy.compile().program());
        }
        if (spec.supervised().isPresent()) {
            throw new IllegalArgumentException("seccomp: a second policy with supervisors, and the kernel lets only one"
                    + " filter of a process have a listener: put all supervisors into one policy");
        }
        var program = policy.compile().program();
        var flags = EnumSet.of(FilterFlag.NEW_LISTENER);
        flags.addAll(program.flags());
        return with(s -> s.withSeccompFilters(plus(s.seccompFilters(), new FilterProgram(program.bytes(), flags)))
                .withSupervised(policy));
    }

    /** Adds a seccomp filter in the kernel's form, in place of the default one; of several, the strictest answer counts. */
    public ContainerBuilder seccomp(byte[] program) {
        return filter(new FilterProgram(program));
    }

    /** Installs no seccomp filter at all, not even the default one. Weakens isolation. */
    public ContainerBuilder seccompUnconfined() {
        return with(s -> s.withSeccompFilters().withSupervised(Optional.empty()).withStandardSeccomp(false));
    }

    private ContainerBuilder filter(FilterProgram program) {
        if (program.flags().contains(FilterFlag.NEW_LISTENER)) {
            throw new IllegalArgumentException(
                    "seccomp: the flag NEW_LISTENER is not for a container's policy: nobody inside could answer");
        }
        return with(s -> s.withSeccompFilters(plus(s.seccompFilters(), program)));
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.FilterProgram;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.spec.Capabilities;
import dev.caisson.spec.Securebit;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.immutables.value.Value;

/** What the command may do: capabilities, securebits, no_new_privs, seccomp. */
@Value.Immutable
@Value.Style(jdkOnly = true, jakarta = false, allowedClasspathAnnotations = Override.class)
public abstract class PrivilegeSpec {
    /** Empty: the capabilities of the caller are left alone. */
    public abstract Optional<Capabilities> capabilities();

    @Value.Default
    public boolean noNewPrivileges() {
        return true;
    }

    public abstract Set<Securebit> securebits();

    /** Seccomp filters, installed in this order. */
    public abstract List<FilterProgram> seccompFilters();

    /** The policy whose supervisors answer; of the filters, its program is the one with NEW_LISTENER. */
    public abstract Optional<Seccomp> supervised();

    /** Whether Docker's default policy for the bounding set is installed, where there is no other filter. */
    @Value.Default
    public boolean standardSeccomp() {
        return false;
    }

    /** {@return this with one more policy} */
    public PrivilegeSpec plus(Seccomp policy) {
        var program = policy.compile().program();
        if (!policy.isSupervised()) {
            return plus(program);
        }
        if (supervised().isPresent()) {
            throw new IllegalArgumentException("seccomp: a second policy with supervisors, and the kernel lets only one"
                    + " filter of a process have a listener: put all supervisors into one policy");
        }
        var flags = EnumSet.of(Filter.Flag.NEW_LISTENER);
        flags.addAll(program.flags());
        return appended(new FilterProgram(program.bytes(), flags)).withSupervised(policy);
    }

    /** {@return this with one more filter} */
    public PrivilegeSpec plus(FilterProgram program) {
        if (program.flags().contains(Filter.Flag.NEW_LISTENER)) {
            throw new IllegalArgumentException(
                    "seccomp: the flag NEW_LISTENER is not for a container's policy: nobody inside could answer");
        }
        return appended(program);
    }

    /** {@return this with no filter at all} */
    public PrivilegeSpec unfiltered() {
        return ImmutablePrivilegeSpec.copyOf(this)
                .withSeccompFilters()
                .withSupervised(Optional.empty())
                .withStandardSeccomp(false);
    }

    private ImmutablePrivilegeSpec appended(FilterProgram program) {
        return ImmutablePrivilegeSpec.builder()
                .from(this)
                .addSeccompFilters(program)
                .build();
    }

    /** Refuses fields that are fine alone and not together. */
    void checkTogether() {
        Contradictions.refuse(
                !securebits().isEmpty() && capabilities().isEmpty(),
                "securebits",
                "capabilities left as they are",
                "say which capabilities the command has");
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.spec;

import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * The five capability sets a command starts with (capabilities(7); {@code process.capabilities} of the OCI runtime spec).
 * Immutable.
 *
 * <p>Who is root inside gains the bounding set at execve, whatever the other sets hold; everybody else has the ambient
 * set and what file capabilities give.
 *
 * @param bounding the most that can ever be gained again
 * @param effective what the kernel checks; part of {@code permitted}
 * @param permitted what may be made effective; part of {@code bounding}
 * @param inheritable what programs with file capabilities may take over; part of {@code bounding}
 * @param ambient what programs started by users other than root keep; part of {@code permitted} and {@code inheritable}
 */
public record Capabilities(
        Set<Capability> bounding,
        Set<Capability> effective,
        Set<Capability> permitted,
        Set<Capability> inheritable,
        Set<Capability> ambient) {

    private static final List<Capability> DOCKER = List.of(
            Capability.CHOWN,
            Capability.DAC_OVERRIDE,
            Capability.FOWNER,
            Capability.FSETID,
            Capability.KILL,
            Capability.SETGID,
            Capability.SETUID,
            Capability.SETPCAP,
            Capability.NET_BIND_SERVICE,
            Capability.NET_RAW,
            Capability.SYS_CHROOT,
            Capability.MKNOD,
            Capability.AUDIT_WRITE,
            Capability.SETFCAP);

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if a set holds what the set that bounds it does not
     */
    public Capabilities {
        bounding = copy(bounding);
        effective = copy(effective);
        permitted = copy(permitted);
        inheritable = copy(inheritable);
        ambient = copy(ambient);
        within("effective", effective, "permitted", permitted);
        within("permitted", permitted, "bounding", bounding);
        within("inheritable", inheritable, "bounding", bounding);
        within("ambient", ambient, "permitted", permitted);
        within("ambient", ambient, "inheritable", inheritable);
    }

    private static Set<Capability> copy(Collection<Capability> capabilities) {
        var copy = EnumSet.noneOf(Capability.class);
        copy.addAll(capabilities);
        return Collections.unmodifiableSet(copy);
    }

    private static void within(String name, Set<Capability> set, String boundName, Set<Capability> bound) {
        for (var capability : set) {
            if (!bound.contains(capability)) {
                throw new IllegalArgumentException("capabilities: " + capability.kernelName() + " is " + name
                        + " but not " + boundName + ", which the kernel refuses; add it there too");
            }
        }
    }

    /** {@return no capability in any set} */
    public static Capabilities none() {
        return ofRoot(Set.of());
    }

    /** {@return the 14 that Docker leaves a container's root} */
    public static Capabilities docker() {
        return ofRoot(DOCKER);
    }

    /** {@return every capability this version knows, which the kernel narrows to those it has} */
    public static Capabilities all() {
        return ofRoot(EnumSet.allOf(Capability.class));
    }

    /** {@return these capabilities as bounding, effective and permitted ones, as a container's root has them} */
    public static Capabilities ofRoot(Collection<Capability> capabilities) {
        var set = copy(capabilities);
        return new Capabilities(set, set, set, Set.of(), Set.of());
    }

    /** {@return these capabilities in all five sets, so that any user keeps them through execve} */
    public static Capabilities ambient(Collection<Capability> capabilities) {
        var set = copy(capabilities);
        return new Capabilities(set, set, set, set, set);
    }

    /** {@return this with more capabilities in the bounding, effective and permitted sets} */
    public Capabilities plus(Collection<Capability> more) {
        return new Capabilities(
                plus(bounding, more), plus(effective, more), plus(permitted, more), inheritable, ambient);
    }

    /** {@return this without some capabilities, which are taken out of every set} */
    public Capabilities minus(Collection<Capability> fewer) {
        return new Capabilities(
                minus(bounding, fewer),
                minus(effective, fewer),
                minus(permitted, fewer),
                minus(inheritable, fewer),
                minus(ambient, fewer));
    }

    private static Set<Capability> plus(Set<Capability> set, Collection<Capability> more) {
        var sum = set.isEmpty() ? EnumSet.noneOf(Capability.class) : EnumSet.copyOf(set);
        sum.addAll(more);
        return sum;
    }

    private static Set<Capability> minus(Set<Capability> set, Collection<Capability> fewer) {
        var rest = set.isEmpty() ? EnumSet.noneOf(Capability.class) : EnumSet.copyOf(set);
        rest.removeAll(fewer);
        return rest;
    }
}

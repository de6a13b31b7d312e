// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v1;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.DeviceRules;
import dev.caisson.cgroups.spec.DeviceRules.Rule;
import dev.caisson.cgroups.spec.DeviceRules.Rule.Access;
import dev.caisson.cgroups.spec.DeviceRules.Rule.Type;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class DevicesTest {
    @Property(tries = 2000)
    void theListDecidesAsTheRulesDoOrSaysThatItCannot(@ForAll("rules") DeviceRules rules) {
        List<Rule> exceptions;
        try {
            exceptions = Devices.exceptions(rules);
        } catch (CgroupException cannot) {
            assertTrue(rules.rules().stream().anyMatch(r -> !r.allowed()), "allowing alone can always be said");
            return;
        }
        for (var type : List.of(Type.BLOCK, Type.CHARACTER)) {
            for (int major = 0; major < 3; major++) {
                for (int minor = 0; minor < 3; minor++) {
                    for (int bits = 1; bits < 8; bits++) {
                        var access = access(bits);
                        assertEquals(
                                rules.allows(type, major, minor, access),
                                asTheKernel(exceptions, type, major, minor, access),
                                rules + " as " + exceptions);
                    }
                }
            }
        }
    }

    /** security/device_cgroup.c, match_exception: one exception must have all of the access. */
    private static boolean asTheKernel(List<Rule> exceptions, Type type, int major, int minor, Set<Access> access) {
        return exceptions.stream()
                .anyMatch(e -> e.matches(type, major, minor) && e.access().containsAll(access));
    }

    @Test
    void whatTheListCannotSayIsAnErrorThatNamesBothRules() {
        var rules = DeviceRules.of(Rule.allow("c 1:* rw"), Rule.deny("c 1:3 w"));
        var refused = assertThrows(CgroupException.class, () -> Devices.writes(rules));
        assertEquals(CgroupException.Reason.NOT_IN_THIS_VERSION, refused.reason());
        assertTrue(refused.getMessage().contains("deny c 1:3 w"), refused.getMessage());
        assertTrue(refused.getMessage().contains("allow c 1:* rw"), refused.getMessage());
    }

    private static Set<Access> access(int bits) {
        var access = EnumSet.noneOf(Access.class);
        for (var one : Access.values()) {
            if ((bits & 1 << one.ordinal()) != 0) {
                access.add(one);
            }
        }
        return access;
    }

    @Provide
    Arbitrary<DeviceRules> rules() {
        var number = Arbitraries.integers().between(-1, 2).map(n -> n < 0 ? OptionalInt.empty() : OptionalInt.of(n));
        var access = Arbitraries.of(Access.class).set().ofMinSize(1);
        return Combinators.combine(
                        Arbitraries.frequencyOf(
                                net.jqwik.api.Tuple.of(3, Arbitraries.just(true)),
                                net.jqwik.api.Tuple.of(1, Arbitraries.just(false))),
                        Arbitraries.of(Type.class),
                        number,
                        number,
                        access)
                .as(Rule::new)
                .list()
                .ofMaxSize(6)
                .map(DeviceRules::new);
    }
}

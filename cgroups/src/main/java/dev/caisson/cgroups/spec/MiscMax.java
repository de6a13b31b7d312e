// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

/**
 * A scalar resource of the host, such as {@code sev} key slots (misc.max; Linux 5.13).
 *
 * @param amount 0 or more
 */
public record MiscMax(String resource, Amount amount) implements Limit {
    public MiscMax {
        var _ = Check.word("miscMax", resource);
        var _ = Check.notNegative("miscMax", amount);
    }

    @Override
    public String option() {
        return "miscMax";
    }

    @Override
    public String controller() {
        return "misc";
    }

    @Override
    public String subject() {
        return resource;
    }
}

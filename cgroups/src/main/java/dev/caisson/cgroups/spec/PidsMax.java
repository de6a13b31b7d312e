// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

/** Processes and threads at one time (pids.max). Positive: with none at all not even the first process could start. */
public record PidsMax(Amount processes) implements Limit {
    private static final long MOST = 4_194_304;

    public PidsMax {
        processes.value().ifPresent(n -> {
            var _ = Check.within("pidsMax", n, 1, MOST);
        });
    }

    @Override
    public String option() {
        return "pidsMax";
    }

    @Override
    public String controller() {
        return "pids";
    }
}

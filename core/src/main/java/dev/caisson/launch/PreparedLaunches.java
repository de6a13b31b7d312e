// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.Arch;
import dev.caisson.linux.child.EncodedProgram;
import dev.caisson.linux.child.Encoder;
import java.util.ArrayList;
import java.util.List;

/**
 * The last few launches of one builder, planned and encoded: whoever runs a command again pays for neither. They live as long
 * as the builder, which knows the same secrets. Thread-safe.
 */
public final class PreparedLaunches {
    private static final int MOST = 8;

    /** So few that comparing them, which ends at the first difference, is quicker than the hash of all that was decided. */
    private volatile List<Prepared> kept = List.of();

    /** A plan and its program in the stub's form. */
    public record Prepared(LaunchPlan plan, EncodedProgram program) {}

    /** {@return the launch of what was decided; equal decisions give equal launches} */
    public Prepared of(PlanInput input) {
        for (var known : kept) {
            if (known.plan().input().equals(input)) {
                return known;
            }
        }
        var plan = LaunchPlan.compile(input);
        var prepared = new Prepared(plan, Encoder.encode(plan.program(), Arch.host()));
        keep(prepared);
        return prepared;
    }

    /** Of two that are kept at once, one may be forgotten again. */
    private void keep(Prepared newest) {
        var all = new ArrayList<Prepared>();
        all.add(newest);
        var others = kept;
        all.addAll(others.subList(0, Math.min(others.size(), MOST - 1)));
        kept = List.copyOf(all);
    }
}

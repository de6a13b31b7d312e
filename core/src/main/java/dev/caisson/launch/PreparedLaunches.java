// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.Arch;
import dev.caisson.linux.child.EncodedProgram;
import dev.caisson.linux.child.Encoder;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The last few launches of one builder, planned and encoded: whoever runs a command again pays for neither. They live as long
 * as the builder, which knows the same secrets. Thread-safe.
 */
public final class PreparedLaunches {
    private static final int MOST = 8;

    private final ConcurrentHashMap<PlanInput, Prepared> kept = new ConcurrentHashMap<>();

    /** A plan and its program in the stub's form. */
    public record Prepared(LaunchPlan plan, EncodedProgram program) {}

    /** {@return the launch of what was decided; equal decisions give equal launches} */
    public Prepared of(PlanInput input) {
        var known = kept.get(input);
        if (known != null) {
            return known;
        }
        var plan = LaunchPlan.compile(input);
        var prepared = new Prepared(plan, Encoder.encode(plan.program(), Arch.host()));
        if (kept.size() >= MOST) {
            kept.clear();
        }
        kept.put(input, prepared);
        return prepared;
    }
}

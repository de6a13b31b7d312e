// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.Arch;
import dev.caisson.linux.child.EncodedProgram;
import dev.caisson.linux.child.Encoder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The last few launches of one builder, planned and encoded: whoever runs a command again pays for neither. They live as long
 * as the builder, which knows the same secrets. Thread-safe.
 */
public final class PreparedLaunches {
    private static final int MOST = 8;

    /** So few that comparing them, which ends at the first difference, is quicker than the hash of all that was decided. */
    private volatile List<Prepared> kept = List.of();

    private volatile List<Start> starts = List.of();

    /** Of the last description: a builder's launches differ in the streams at most, which the verb sets. */
    private volatile Planner.@Nullable Settled settled;

    /**
     * The rest of a launch after its preparation, and all that it depends on.
     *
     * @param preparation equal only to itself, which costs nothing to find out
     */
    private record Start(
            PlanInput preparation, ProcessSpec process, List<String> command, Principal user, Prepared prepared) {
        @SuppressWarnings("ReferenceEquality") // See above.
        boolean isOf(PlanInput before, ProcessSpec asked, List<String> run, Principal as) {
            return preparation == before && command.equals(run) && process.equals(asked) && user.equals(as);
        }
    }

    /** A plan and its program in the stub's form. */
    public record Prepared(LaunchPlan plan, EncodedProgram program) {}

    /** {@return what a description comes to, if that is known} */
    Planner.@Nullable Settled settled(ContainerSpec asked) {
        var last = settled;
        return last != null && last.asked().equals(asked) ? last : null;
    }

    void settles(Planner.Settled last) {
        settled = last;
    }

    /** {@return the launch of what was decided; equal decisions give equal launches} */
    public Prepared of(PlanInput input) {
        for (var known : kept) {
            if (known.plan().input().equals(input)) {
                return known;
            }
        }
        var prepared = encoded(input);
        kept = with(prepared, kept);
        return prepared;
    }

    private static Prepared encoded(PlanInput input) {
        var plan = LaunchPlan.compile(input);
        return new Prepared(plan, Encoder.encode(plan.program(), Arch.host()));
    }

    /**
     * {@return the rest of a launch, after its preparation}
     *
     * @param process may differ in what the preparation does not look at
     * @param user as whom the command runs
     */
    public Prepared start(PlanInput preparation, ProcessSpec process, List<String> command, Principal user) {
        for (var known : starts) {
            if (known.isOf(preparation, process, command, user)) {
                return known.prepared();
            }
        }
        var prepared = encoded(preparation.start(process, command, user));
        starts = with(new Start(preparation, process, command, user, prepared), starts);
        return prepared;
    }

    /** Of two that are kept at once, one may be forgotten again. */
    private static <T> List<T> with(T newest, List<T> others) {
        var all = new ArrayList<T>();
        all.add(newest);
        all.addAll(others.subList(0, Math.min(others.size(), MOST - 1)));
        return List.copyOf(all);
    }
}

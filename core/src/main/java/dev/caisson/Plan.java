// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.linux.Feature;
import java.util.List;

/**
 * What would happen, step by step, if a container were started: the result of {@code explain()}. Nothing of it has been
 * done. It prints itself as a listing that strace(1) readers know; as data it is a list of phases.
 *
 * @param phases in the order of time
 * @param missing what this host lacks for it
 * @param unenforced what a preset says and this host does not enforce, each with the reason
 */
public record Plan(List<Phase> phases, List<Feature> missing, List<String> unenforced) {
    public Plan {
        phases = List.copyOf(phases);
        missing = List.copyOf(missing);
        unenforced = List.copyOf(unenforced);
    }

    /** A part of the launch, such as {@code "root"}. */
    public record Phase(String name, List<PlannedCall> calls) {
        public Phase {
            calls = List.copyOf(calls);
        }
    }

    /** Who makes a call. */
    public enum Actor {
        /** The JVM. */
        PARENT,
        /** The cloned child, before its execve. */
        CHILD
    }

    /**
     * One call.
     *
     * @param text as strace prints it; {@code <name>} stands for what is known only at run time
     * @param purpose in words
     * @param needs the privilege or kernel it needs, or empty
     */
    public record PlannedCall(Actor actor, String text, String purpose, String needs) {}

    /** {@return the listing} */
    @Override
    public String toString() {
        var out = new StringBuilder();
        for (var phase : phases) {
            out.append(phase.name()).append('\n');
            String purpose = "";
            for (var call : phase.calls()) {
                if (!call.purpose().equals(purpose)) {
                    purpose = call.purpose();
                    out.append("    # ").append(purpose);
                    if (!call.needs().isEmpty()) {
                        out.append("  [").append(call.needs()).append(']');
                    }
                    out.append('\n');
                }
                out.append(call.actor() == Actor.PARENT ? "    parent  " : "    child   ")
                        .append(call.text())
                        .append('\n');
            }
        }
        missing.forEach(
                feature -> out.append("missing here: ").append(feature.title()).append('\n'));
        unenforced.forEach(
                limit -> out.append("not enforced here: ").append(limit).append('\n'));
        return out.toString();
    }
}

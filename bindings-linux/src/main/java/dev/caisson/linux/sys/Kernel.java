// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import dev.caisson.linux.Feature;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * What this machine's kernel can do for this process: each feature is tried when it is first asked for, and remembered.
 * Thread-safe.
 */
public final class Kernel {
    /** What a trial said. */
    public enum Answer {
        YES,
        NO,
        /** This process may not even try; a launch will show. */
        COULD_NOT_TELL
    }

    private static final Kernel THIS_MACHINE = new Kernel(Set.of(), _ -> Answer.COULD_NOT_TELL);

    private final Map<Feature, Answer> answers = new EnumMap<>(Feature.class);
    private final Set<Feature> without;
    private final Function<Feature, Answer> trials;

    private Kernel(Set<Feature> without, Function<Feature, Answer> trials) {
        this.without = without;
        this.trials = trials;
    }

    /** {@return what is known of it in this JVM: a trial may cost more than what it is for} */
    public static Kernel ofThisMachine() {
        return THIS_MACHINE;
    }

    /**
     * {@return this kernel, which asks for a second opinion where this process itself may not try}
     *
     * @param trials such as those of a child in a namespace of its own; asked at most once for each feature
     */
    public Kernel asking(Function<Feature, Answer> trials) {
        return new Kernel(without, trials);
    }

    /** {@return this kernel as if it lacked some features, so that what is done without them can be tested} */
    public Kernel without(Feature... features) {
        var missing = EnumSet.noneOf(Feature.class);
        missing.addAll(without);
        missing.addAll(Set.of(features));
        return new Kernel(missing, trials);
    }

    /** {@return whether to use a feature: it is there, or nothing speaks against trying} */
    public boolean has(Feature feature) {
        return probe(feature) != Answer.NO;
    }

    public Answer probe(Feature feature) {
        if (without.contains(feature)) {
            return Answer.NO;
        }
        synchronized (answers) {
            return answers.computeIfAbsent(feature, this::attempt);
        }
    }

    private Answer attempt(Feature feature) {
        var here = Probes.attempt(feature);
        return here == Answer.COULD_NOT_TELL ? trials.apply(feature) : here;
    }
}

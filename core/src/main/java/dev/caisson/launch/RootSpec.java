// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.overlay.Overlay;
import dev.caisson.overlay.OverlayFallback;
import dev.caisson.overlay.OverlayOptions;
import dev.caisson.overlay.store.Branch;
import dev.caisson.path.InsidePath;
import dev.caisson.spec.Mount;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.immutables.value.Value;

/** The root file system and what is mounted in it. Every field stands alone; {@link #source} assembles them. */
@Value.Immutable
@Value.Style(jdkOnly = true, jakarta = false, allowedClasspathAnnotations = Override.class)
public interface RootSpec {
    /** The layers, topmost first; empty: there are none. */
    List<Path> lower();

    /** A directory used as it is. */
    Optional<Path> directory();

    /** The writable layer on disk; empty: in memory. */
    Optional<Overlay.Upper> upper();

    /** The most bytes of a writable layer in memory. */
    OptionalLong upperSize();

    Optional<OverlayOptions> overlayOptions();

    List<OverlayFallback> overlayFallbacks();

    /** The branch that the layers and the writable layer are those of. */
    Optional<Branch> branch();

    /** The layers as they were merged before the launch, where the kernel refused to do it in the launch. */
    Optional<Root.Merged> merged();

    @Value.Default
    default boolean readOnly() {
        return false;
    }

    /** Whose the layers' files are, where the container has a user namespace of its own. */
    @Value.Default
    default LayerIds layerIds() {
        return LayerIds.MAPPED_WHERE_POSSIBLE;
    }

    /** {@return whether the launch fails where layers cannot be shown with the ids of the user namespace} */
    default boolean idmappedLayers() {
        return layerIds() == LayerIds.MAPPED;
    }

    /** Whether proc, sysfs, a minimal /dev and the rest of {@link KernelMounts} are mounted. */
    @Value.Default
    default boolean kernelMounts() {
        return true;
    }

    /** What a launch asks the JVM about the root, to fail then; empty: it is one that shall succeed. */
    Optional<Question> asks();

    /** What may be asked about a root that a launch makes. */
    enum Question {
        /** Where a mount's target leads, if a link on the way leads to nothing. */
        PLACES,
        /** What there is of the program. */
        PROGRAM
    }

    /** {@return whether a launch asks something} */
    default boolean asks(Question question) {
        return asks().isPresent() && asks().get() == question;
    }

    /** Whether the JVM keeps the root for the sake of its files. */
    @Value.Default
    default boolean kept() {
        return false;
    }

    /** What is mounted by somebody's wish. */
    List<Mount> mounts();

    /** What a preset mounts, in so far as nobody mounts something else on the same place. */
    List<Mount> presetMounts();

    /**
     * Whether nobody trusts the command: file systems in memory get no more of the host's than {@link MemoryShares} says, where
     * nobody gave a size, and what of the host remains in reach is told.
     */
    @Value.Default
    default boolean forUntrusted() {
        return false;
    }

    List<String> maskedPaths();

    List<String> readOnlyPaths();

    /** {@return where the root comes from, assembled from the fields} */
    @Value.Derived
    default Root source() {
        if (merged().isPresent()) {
            return merged().get();
        }
        if (directory().isPresent()) {
            return new Root.Directory(directory().get());
        }
        if (lower().isEmpty()) {
            return new Root.OfHost();
        }
        return new Root.Layers(new Overlay(
                lower(),
                upper(),
                upper().isPresent() ? OptionalLong.empty() : upperSize(),
                overlayOptions().orElse(OverlayOptions.defaults()),
                overlayFallbacks()));
    }

    /** Refuses values that make no sense alone. */
    @Value.Check
    default void check() {
        for (var path : maskedPaths()) {
            InsidePath.checkBelowRoot("mask", path, "nothing would be left");
        }
        for (var path : readOnlyPaths()) {
            InsidePath.checkBelowRoot("readOnlyPath", path, "call readOnly()");
        }
        if (upperSize().isPresent() && upperSize().getAsLong() <= 0) {
            throw new IllegalArgumentException("upperSize: " + upperSize().getAsLong() + " bytes; it must be positive");
        }
    }

    /** {@return whether anything about mounts is not as it is on the host} */
    default boolean changesMounts() {
        return isOwn()
                || !mounts().isEmpty()
                || !presetMounts().isEmpty()
                || !maskedPaths().isEmpty()
                || !readOnlyPaths().isEmpty();
    }

    /** {@return whether the container has a root of its own} */
    default boolean isOwn() {
        return !(source() instanceof Root.OfHost);
    }

    /** Refuses fields that are fine alone and not together. */
    default void checkTogether() {
        boolean layers = source() instanceof Root.Layers || source() instanceof Root.Merged;
        String without = directory().isPresent() ? "rootfs" : "a root without layers";
        Contradictions.refuse(upper().isPresent() && !layers, "upper", without, "call lower(...)");
        Contradictions.refuse(upperSize().isPresent() && !layers, "upperSize", without, "call lower(...)");
        Contradictions.refuse(overlayOptions().isPresent() && !layers, "overlayOptions", without, "call lower(...)");
        Contradictions.refuse(!overlayFallbacks().isEmpty() && !layers, "overlayFallback", without, "call lower(...)");
        Contradictions.refuse(idmappedLayers() && !layers, "idmappedLayers", without, "call lower(...)");
        Contradictions.refuse(
                upperSize().isPresent() && upper().isPresent(),
                "upperSize",
                "upper",
                "it limits a writable layer in memory; leave one out");
        Contradictions.refuse(
                idmappedLayers() && !overlayFallbacks().isEmpty(),
                "idmappedLayers",
                "overlayFallback",
                "no fallback shows layers with other ids; leave one out");
        Contradictions.refuse(
                readOnly() && !isOwn(),
                "readOnly",
                "the host's own root",
                "call lower(Path.of(\"/\")) for a root that can be read-only");
        var targets = new HashSet<String>();
        for (Mount mount : mounts()) {
            Contradictions.refuse(
                    !targets.add(mount.target()),
                    "one mount on " + mount.target(),
                    "another on the same path",
                    "the second would hide the first");
        }
    }
}

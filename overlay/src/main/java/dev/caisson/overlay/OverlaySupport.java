// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay;

import dev.caisson.overlay.OverlayOptions.Attributes;
import dev.caisson.overlay.OverlayOptions.Durability;
import dev.caisson.overlay.OverlayOptions.Index;
import dev.caisson.overlay.OverlayOptions.Metacopy;
import dev.caisson.overlay.OverlayOptions.RedirectDir;
import dev.caisson.overlay.OverlayOptions.Uuid;
import dev.caisson.overlay.OverlayOptions.Verity;
import dev.caisson.overlay.OverlayOptions.Xino;
import dev.caisson.overlay.store.Removal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Which options of overlays work with uppers on a file system, found out by mounting one with each, for this process alone.
 * Immutable.
 *
 * @param refusals for each option, by its name as a mount option, why it does not work; empty if it does
 */
public record OverlaySupport(Map<String, Optional<String>> refusals) {
    public OverlaySupport {
        refusals = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(refusals));
    }

    /**
     * Tries all options. Takes root, and some milliseconds.
     *
     * @param directory on the file system in question; what is made in it is gone at the end
     * @throws IOException if nothing can be made there
     */
    public static OverlaySupport probe(Path directory) throws IOException {
        var defaults = OverlayOptions.defaults();
        var tries = new LinkedHashMap<String, OverlayOptions>();
        tries.put("defaults", defaults);
        tries.put("redirect_dir=on", defaults.redirectDir(RedirectDir.ON));
        tries.put("metacopy=on", defaults.metacopy(Metacopy.ON));
        tries.put("index=on", defaults.index(Index.ON));
        tries.put("xino=on", defaults.xino(Xino.ON));
        tries.put("uuid=on", defaults.uuid(Uuid.ON));
        tries.put("verity=on", defaults.metacopy(Metacopy.ON).verity(Verity.ON));
        tries.put("volatile", defaults.durability(Durability.VOLATILE));
        tries.put("userxattr", defaults.attributes(Attributes.USER));
        var refusals = new LinkedHashMap<String, Optional<String>>();
        Path place = Files.createTempDirectory(directory, "caisson-probe");
        try {
            Path lower = Files.createDirectory(place.resolve("lower"));
            int number = 0;
            for (var one : tries.entrySet()) {
                // An upper of its own for each: some options leave in it what others refuse.
                var overlay = Overlay.of(lower)
                        .withUpper(place.resolve("upper" + number++))
                        .withOptions(one.getValue());
                refusals.put(one.getKey(), refusal(overlay));
            }
            return new OverlaySupport(refusals);
        } finally {
            Removal.here().remove(place);
        }
    }

    private static Optional<String> refusal(Overlay overlay) {
        try (var _ = overlay.mount()) {
            return Optional.empty();
        } catch (IOException refused) {
            return Optional.of(String.valueOf(refused.getMessage()));
        }
    }

    /** {@return whether an option works} */
    public boolean works(String option) {
        var refusal = refusals.get(option);
        if (refusal == null) {
            throw new IllegalArgumentException(
                    "option: \"" + option + "\" was not tried; those tried are " + refusals.keySet());
        }
        return refusal.isEmpty();
    }
}

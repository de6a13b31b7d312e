// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.mount;

import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.sys.FileStatus;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;

/**
 * Layers as they can be given to overlayfs, which refuses two of which one lies inside the other, as every directory lies inside
 * {@code /} of its file system. The lowest layers are then merged first, in an overlay of their own, whose root lies in nothing.
 * To merge the lowest ones changes no meaning: a mark hides what is below it, there or in the overlay that has theirs below.
 */
public sealed interface LayerStack {
    /** None lies inside another. */
    record Flat() implements LayerStack {}

    /**
     * The lowest ones are to be merged first.
     *
     * @param first the index of the topmost of them
     */
    record Split(int first) implements LayerStack {}

    /**
     * Three overlays would be needed, of which the kernel stacks two.
     *
     * @param why a sentence without a full stop, with the remedy
     */
    record TooDeep(String why) implements LayerStack {}

    /** Two layers of which one lies inside the other, the upper one of the stack first. */
    record Pair(int upper, int lower) {}

    /**
     * {@return how layers are to be merged} Looks at where they really are; one that cannot be looked at is for the mount to
     * complain of.
     *
     * @param layers the topmost first
     */
    static LayerStack of(List<Path> layers) {
        if (layers.size() == 1) {
            return new Flat();
        }
        var pairs = pairs(layers);
        if (pairs.isEmpty()) {
            return new Flat();
        }
        int first = layers.size();
        for (var pair : pairs) {
            first = Math.min(first, pair.lower());
        }
        for (var pair : pairs) {
            if (pair.upper() >= first) {
                return new TooDeep("of " + HostPath.shown(layers.get(pair.upper())) + " and "
                        + HostPath.shown(layers.get(pair.lower()))
                        + " one lies inside the other, and so it is with layers above them, which takes more overlays than"
                        + " the kernel stacks (2); copy one of them, or leave it out");
            }
        }
        return new Split(first);
    }

    private static List<Pair> pairs(List<Path> layers) {
        var places = new HashMap<Path, Integer>();
        for (int i = 0; i < layers.size(); i++) {
            var _ = places.putIfAbsent(real(layers.get(i)), i);
        }
        var pairs = new ArrayList<Pair>();
        places.forEach((place, layer) -> {
            for (Path above = place.getParent(); above != null; above = above.getParent()) {
                Integer other = places.get(above);
                if (other != null && isOneMount(layers.get(layer), layers.get(other))) {
                    pairs.add(new Pair(Math.min(layer, other), Math.max(layer, other)));
                }
            }
        });
        return pairs;
    }

    private static Path real(Path layer) {
        try {
            return layer.toRealPath();
        } catch (IOException unseen) {
            return layer;
        }
    }

    private static boolean isOneMount(Path one, Path other) {
        var here = FileStatus.of(HostPath.of(one));
        var there = FileStatus.of(HostPath.of(other));
        // Numbers of mounts are told since Linux 5.8; subvolumes of one mount have devices of their own.
        return here.isPresent()
                && there.isPresent()
                && here.get().mountId() == there.get().mountId()
                && (here.get().mountId() != 0
                        || here.get().device() == there.get().device());
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.mount;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * The mode and owner of a layer's own directory. The root of an overlay is its upper's, whatever the layers below say: so a
 * new upper gets what the topmost layer's directory has.
 *
 * @param mode its permissions, set-id bits and the sticky bit
 */
public record TopDirectory(int mode, long uid, long gid) {
    private static final int PERMISSIONS = 07777;

    /** {@return those of a layer; empty if it cannot be looked at, which is for the mount to complain of} */
    public static Optional<TopDirectory> of(Path layer) {
        try {
            var all = Files.readAttributes(layer, "unix:mode,uid,gid");
            return Optional.of(new TopDirectory(
                    number(all, "mode") & PERMISSIONS,
                    Integer.toUnsignedLong(number(all, "uid")),
                    Integer.toUnsignedLong(number(all, "gid"))));
        } catch (IOException unseen) {
            return Optional.empty();
        }
    }

    private static int number(Map<String, Object> attributes, String name) {
        return (int) Objects.requireNonNull(attributes.get(name));
    }

    /** {@return this with another owner} */
    public TopDirectory ownedBy(long newUid, long newGid) {
        return new TopDirectory(mode, newUid, newGid);
    }
}

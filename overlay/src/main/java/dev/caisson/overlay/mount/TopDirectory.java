// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.mount;

import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.sys.FileStatus;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The mode and owner of a layer's own directory. The root of an overlay is its upper's, whatever the layers below say: so a
 * new upper gets what the topmost layer's directory has.
 *
 * @param mode its permissions, set-id bits and the sticky bit
 */
public record TopDirectory(int mode, long uid, long gid) {
    /** {@return those of a layer; empty if it cannot be looked at, which is for the mount to complain of} */
    public static Optional<TopDirectory> of(Path layer) {
        return FileStatus.of(HostPath.of(layer))
                .map(status -> new TopDirectory(status.permissions(), status.uid(), status.gid()));
    }

    /** {@return this with another owner} */
    public TopDirectory ownedBy(long newUid, long newGid) {
        return new TopDirectory(mode, newUid, newGid);
    }
}

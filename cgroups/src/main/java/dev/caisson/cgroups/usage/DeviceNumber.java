// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.usage;

import dev.caisson.cgroups.spec.BlockDevice;
import dev.caisson.cgroups.text.Text;
import java.util.Optional;

/** Reads the numbers of disks. */
public final class DeviceNumber {
    private static final long MOST_MAJOR = 0xfff;
    private static final long MOST_MINOR = 0xfffff;

    private DeviceNumber() {}

    /** {@return the disk of {@code MAJOR:MINOR}; empty if something else comes next} */
    public static Optional<BlockDevice> read(Text text) {
        var major = text.number();
        if (major.isEmpty() || !text.skip(':')) {
            return Optional.empty();
        }
        var minor = text.number();
        if (minor.isEmpty() || major.getAsLong() > MOST_MAJOR || minor.getAsLong() > MOST_MINOR) {
            return Optional.empty();
        }
        return Optional.of(new BlockDevice((int) major.getAsLong(), (int) minor.getAsLong()));
    }
}

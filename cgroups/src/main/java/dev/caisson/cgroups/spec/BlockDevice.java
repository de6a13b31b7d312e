// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

import static dev.caisson.linux.flag.FileTypes.S_IFBLK;
import static dev.caisson.linux.flag.FileTypes.S_IFMT;

import dev.caisson.linux.call.HostPath;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A disk by its number. Limits count whole disks, never partitions.
 *
 * @param major 0 to 4095
 * @param minor 0 to 1048575
 */
public record BlockDevice(int major, int minor) {

    public BlockDevice {
        var _ = Check.within("device major", major, 0, 0xfff);
        var _ = Check.within("device minor", minor, 0, 0xfffff);
    }

    /**
     * {@return the disk that a device file means, or that a file or directory is stored on; of a partition, its disk}
     *
     * @param option begins the message of a refusal
     * @throws IllegalArgumentException if there is no such file, or no disk behind it
     */
    public static BlockDevice of(String option, Path path) {
        try {
            int mode = (int) Files.getAttribute(path, "unix:mode");
            boolean isDevice = (mode & S_IFMT) == S_IFBLK;
            long number = (long) Files.getAttribute(path, isDevice ? "unix:rdev" : "unix:dev");
            var device = new BlockDevice(majorOf(number), minorOf(number));
            if (device.major() == 0) {
                device = mounted(path);
            }
            return device.wholeDisk();
        } catch (IOException | IllegalArgumentException unknown) {
            throw new IllegalArgumentException(
                    option + ": " + HostPath.shown(path) + " is neither a block device nor a file stored on one ("
                            + unknown.getMessage() + ")",
                    unknown);
        }
    }

    /** File systems such as btrfs have a number of their own; the mount says what they are stored on. */
    private static BlockDevice mounted(Path path) throws IOException {
        Path source = Path.of(Files.getFileStore(path).name());
        if (!source.isAbsolute() || ((int) Files.getAttribute(source, "unix:mode") & S_IFMT) != S_IFBLK) {
            throw new IOException("it is on " + Files.getFileStore(path).type());
        }
        long number = (long) Files.getAttribute(source, "unix:rdev");
        return new BlockDevice(majorOf(number), minorOf(number));
    }

    private BlockDevice wholeDisk() throws IOException {
        Path entry = Path.of("/sys/dev/block", toString());
        if (!Files.exists(entry.resolve("partition"))) {
            return this;
        }
        return parse(Files.readString(entry.toRealPath().resolveSibling("dev")).strip());
    }

    private static BlockDevice parse(String text) {
        int colon = text.indexOf(':');
        return new BlockDevice(Integer.parseInt(text.substring(0, colon)), Integer.parseInt(text.substring(colon + 1)));
    }

    // makedev(3): 12 bits of major and 20 of minor, interleaved for the sake of the old 8 and 8.
    private static int majorOf(long number) {
        return (int) (number >>> 8 & 0xfff);
    }

    private static int minorOf(long number) {
        return (int) (number & 0xff | number >>> 12 & 0xfff00);
    }

    /** {@return MAJOR:MINOR} */
    @Override
    public String toString() {
        return major + ":" + minor;
    }
}

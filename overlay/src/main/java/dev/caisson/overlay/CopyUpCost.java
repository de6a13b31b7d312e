// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay;

/**
 * What the first write to a file, or to all files below a directory, will cost: overlayfs copies a whole file to the writable
 * layer when it is first opened for writing, however little is written.
 *
 * @param files how many would be copied; those that are in the writable layer already are not counted
 * @param bytes their sizes together, which the container sees
 * @param allocatedBytes what the copies take on disk, holes left out
 * @param sharedBytes how much of that is shared with the lower layer rather than copied, because the file system can (reflink)
 * @param directories how many directories would be made on the way
 * @param otherNames how many other names (hard links) the files have, which will not see the write
 */
public record CopyUpCost(
        long files, long bytes, long allocatedBytes, long sharedBytes, long directories, long otherNames) {
    /** No cost. */
    public static final CopyUpCost NONE = new CopyUpCost(0, 0, 0, 0, 0, 0);

    /** {@return what will be read and written} */
    public long copiedBytes() {
        return allocatedBytes - sharedBytes;
    }

    /** {@return both together; directories that both need are counted once by who adds} */
    public CopyUpCost plus(CopyUpCost other) {
        return new CopyUpCost(
                files + other.files,
                bytes + other.bytes,
                allocatedBytes + other.allocatedBytes,
                sharedBytes + other.sharedBytes,
                directories + other.directories,
                otherNames + other.otherNames);
    }
}

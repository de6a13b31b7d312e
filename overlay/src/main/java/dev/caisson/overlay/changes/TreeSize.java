// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.changes;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.sys.Directory;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.HashSet;

/**
 * What a layer takes up on its file system, as du(1) counts it.
 *
 * @param bytes on disk; shared extents (reflinks) count each time
 * @param apparentBytes the sum of the sizes of all regular files
 * @param inodes files, directories and whiteouts, hard links once
 */
public record TreeSize(long bytes, long apparentBytes, long inodes) {
    private static final int BLOCK = 512;

    private record Identity(long device, long inode) {}

    /** Counts a directory and all in it; links are not followed. */
    public static TreeSize of(Path directory) throws LinuxException {
        long bytes = 0;
        long apparent = 0;
        long inodes = 1;
        var linked = new HashSet<Identity>();
        var open = new ArrayDeque<Directory>();
        try {
            open.push(Directory.open(HostPath.of(directory)));
            bytes += open.element().stat().blocks() * BLOCK;
            while (!open.isEmpty()) {
                try (var here = open.pop()) {
                    for (var entry : here.entries()) {
                        var stat = here.stat(entry.name()).orElse(null);
                        if (stat == null
                                || !stat.isDirectory()
                                        && stat.links() > 1
                                        && !linked.add(new Identity(stat.device(), stat.inode()))) {
                            continue;
                        }
                        inodes++;
                        bytes += stat.blocks() * BLOCK;
                        apparent += stat.isFile() ? stat.size() : 0;
                        if (stat.isDirectory()) {
                            here.directory(entry.name()).ifPresent(open::push);
                        }
                    }
                }
            }
            return new TreeSize(bytes, apparent, inodes);
        } finally {
            open.forEach(Directory::close);
        }
    }
}

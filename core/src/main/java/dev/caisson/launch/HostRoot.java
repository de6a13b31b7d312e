// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What launches over the host's root know of it, looked at anew when something that counts has changed. Thread-safe. */
final class HostRoot {
    private static final Path MOUNTS = Path.of("/proc/self/mountinfo");
    private static final byte[] NOTHING_ELSE = {};

    private final Remembered<HostTree> tree = new Remembered<>(HostTree::read);
    private final Remembered<List<HostTree.Entry>> topDirectories = new Remembered<>(HostTree::topDirectories);

    /** As {@link HostTree#read}. */
    HostTree tree() throws IOException {
        return tree.get(Files.readAllBytes(MOUNTS));
    }

    /** As {@link HostTree#topDirectories}. What is mounted on one of them has a mode of its own, which is what counts. */
    List<HostTree.Entry> topDirectories() throws IOException {
        return topDirectories.get(NOTHING_ELSE);
    }
}

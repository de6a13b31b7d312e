// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.FileStatus;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.FileSystemLoopException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;

/**
 * Follows links by hand, name by name, because the kernel tells where a descriptor is only as seen from the host. The answer
 * is a name of what was there at that moment; using it resolves it again, inside the root.
 */
final class RealPath {
    private static final int MOST_LINKS = 40;

    private RealPath() {}

    static TreePath of(TreePath path, boolean follow) throws IOException {
        var fileSystem = path.getFileSystem();
        var tree = fileSystem.tree();
        Deque<byte[]> ahead = new ArrayDeque<>(names(path.toAbsolutePath().bytes()));
        var real = new ArrayList<byte[]>();
        int links = 0;
        try {
            while (!ahead.isEmpty()) {
                byte[] name = ahead.removeFirst();
                if (SafeTree.isDots(name)) {
                    if (name.length == 2 && !real.isEmpty()) {
                        real.removeLast();
                    }
                    continue;
                }
                real.add(name);
                try (var found = tree.find(joined(real), false)) {
                    if (!FileStatus.of(found).isSymbolicLink() || !follow) {
                        continue;
                    }
                    if (++links > MOST_LINKS) {
                        throw new FileSystemLoopException(path.toString());
                    }
                    byte[] target = At.readLink(found);
                    real.removeLast();
                    if (target.length > 0 && target[0] == '/') {
                        real.clear();
                    }
                    names(target).reversed().forEach(ahead::addFirst);
                }
            }
            return TreePath.of(fileSystem, joined(real));
        } catch (LinuxException refused) {
            throw Refusals.of(refused, path.toString());
        }
    }

    private static List<byte[]> names(byte[] path) {
        var names = new ArrayList<byte[]>();
        int start = 0;
        for (int i = 0; i <= path.length; i++) {
            if (i == path.length || path[i] == '/') {
                if (i > start) {
                    names.add(Arrays.copyOfRange(path, start, i));
                }
                start = i + 1;
            }
        }
        return names;
    }

    private static byte[] joined(List<byte[]> names) {
        var out = new ByteArrayOutputStream();
        for (byte[] name : names) {
            out.write('/');
            out.writeBytes(name);
        }
        return names.isEmpty() ? new byte[] {'/'} : out.toByteArray();
    }
}

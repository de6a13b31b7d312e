// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.store;

import static dev.caisson.linux.flag.OpenFlags.O_NOFOLLOW;
import static dev.caisson.linux.flag.OpenFlags.O_PATH;
import static dev.caisson.linux.flag.ResolveFlags.RESOLVE_BENEATH;
import static dev.caisson.linux.flag.ResolveFlags.RESOLVE_NO_SYMLINKS;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.DirectoryReader;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileStatus;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Xattrs;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * The SHA-256 of a tree: names in the order of their bytes, types, permissions, owners, modification times, extended
 * attributes, contents, and which names are one file. Two trees with one digest can stand for each other.
 */
final class TreeDigest {
    private static final long HERE = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;

    private final MessageDigest digest;
    private final Predicate<String> countedXattrs;
    private final Map<Long, byte[]> linked = new HashMap<>();

    private TreeDigest(Predicate<String> countedXattrs) {
        this.countedXattrs = countedXattrs;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError(impossible);
        }
    }

    /**
     * {@return the digest as hexadecimal digits}
     *
     * @param seed what is below the tree, and so part of what it means
     */
    static String of(Path directory, String seed, Predicate<String> countedXattrs) throws IOException {
        var tree = new TreeDigest(countedXattrs);
        tree.add(FileNames.encode(seed));
        try (var top = Files.open(HostPath.of(directory), O_PATH, 0)) {
            tree.entry(top, new byte[0]);
        }
        return HexFormat.of().formatHex(tree.digest.digest());
    }

    private void add(byte[] bytes) {
        // With its length first, so that no two lists of values look alike.
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).flip());
        digest.update(bytes);
    }

    private void add(long... numbers) {
        var buffer = ByteBuffer.allocate(numbers.length * Long.BYTES);
        for (long number : numbers) {
            buffer.putLong(number);
        }
        digest.update(buffer.flip());
    }

    private void entry(Fd file, byte[] path) throws IOException {
        var status = FileStatus.of(file);
        add(path);
        add(status.mode(), status.uid(), status.gid());
        add(status.modified().seconds(), status.modified().nanos());
        if (!status.isDirectory() && status.links() > 1) {
            byte[] first = linked.putIfAbsent(status.inode(), path);
            if (first != null) {
                add(first);
                return;
            }
        }
        for (String xattr : new TreeSet<>(Xattrs.list(file))) {
            if (countedXattrs.test(xattr)) {
                add(FileNames.encode(xattr));
                add(Xattrs.get(file, xattr).orElse(new byte[0]));
            }
        }
        switch (status.type()) {
            case DIRECTORY -> directory(file, path);
            case FILE -> content(file, status.size());
            case SYMBOLIC_LINK -> add(At.readLink(file));
            default -> add(status.rdev());
        }
    }

    private void directory(Fd file, byte[] path) throws IOException {
        var names = new ArrayList<byte[]>();
        try (var list = Files.open(At.self(file), OpenFlags.O_DIRECTORY, 0)) {
            DirectoryReader.all(list).forEach(e -> names.add(e.name()));
        }
        names.sort(Arrays::compareUnsigned);
        add(names.size());
        for (byte[] name : names) {
            var below = new ByteArrayOutputStream();
            below.writeBytes(path);
            below.write('/');
            below.writeBytes(name);
            try (var child = At.open(file, name, O_PATH | O_NOFOLLOW, 0, HERE)) {
                entry(child, below.toByteArray());
            } catch (LinuxException refused) {
                throw new IOException("read the layer: " + refused.getMessage(), refused);
            }
        }
    }

    private void content(Fd file, long size) throws IOException {
        add(size);
        var buffer = ByteBuffer.allocateDirect(1 << 18);
        try (var channel = FileChannel.open(Path.of(At.self(file)))) {
            while (channel.read(buffer) >= 0) {
                digest.update(buffer.flip());
                buffer.clear();
            }
        }
    }
}

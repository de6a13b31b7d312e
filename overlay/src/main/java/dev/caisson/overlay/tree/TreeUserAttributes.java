// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Xattrs;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileSystemException;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.List;

/** The {@code user.*} extended attributes. */
final class TreeUserAttributes implements UserDefinedFileAttributeView {
    private static final String PREFIX = "user.";

    private final TreeAttributeView.Finder finder;
    private final String path;

    TreeUserAttributes(TreeAttributeView.Finder finder, String path) {
        this.finder = finder;
        this.path = path;
    }

    private interface Work<T> {
        T with(Fd file) throws LinuxException;
    }

    private <T> T use(Work<T> work) throws IOException {
        try (var file = finder.find()) {
            return work.with(file);
        } catch (LinuxException refused) {
            throw Refusals.of(refused, path);
        }
    }

    @Override
    public String name() {
        return "user";
    }

    @Override
    public List<String> list() throws IOException {
        return use(Xattrs::list).stream()
                .filter(n -> n.startsWith(PREFIX))
                .map(n -> n.substring(PREFIX.length()))
                .toList();
    }

    private byte[] value(String name) throws IOException {
        return use(file -> Xattrs.get(file, PREFIX + name))
                .orElseThrow(() -> new FileSystemException(path, null, "it has no attribute user." + name));
    }

    @Override
    public int size(String name) throws IOException {
        return value(name).length;
    }

    @Override
    public int read(String name, ByteBuffer into) throws IOException {
        byte[] value = value(name);
        if (into.remaining() < value.length) {
            throw new FileSystemException(
                    path, null, "user." + name + " has " + value.length + " bytes, room is for " + into.remaining());
        }
        into.put(value);
        return value.length;
    }

    @Override
    public int write(String name, ByteBuffer from) throws IOException {
        byte[] value = new byte[from.remaining()];
        from.get(value);
        return use(file -> {
            Xattrs.set(file, PREFIX + name, value);
            return value.length;
        });
    }

    @Override
    public void delete(String name) throws IOException {
        var _ = use(file -> {
            Xattrs.remove(file, PREFIX + name);
            return name;
        });
    }
}

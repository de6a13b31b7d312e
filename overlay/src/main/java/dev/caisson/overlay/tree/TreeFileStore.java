// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.sys.FileData;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.attribute.FileStoreAttributeView;
import org.jspecify.annotations.Nullable;

/** The file system a path is on. */
final class TreeFileStore extends FileStore {
    private final TreePath path;
    private final FileData.Space atFirst;

    private TreeFileStore(TreePath path, FileData.Space atFirst) {
        this.path = path;
        this.atFirst = atFirst;
    }

    static TreeFileStore of(TreePath path) throws IOException {
        return new TreeFileStore(path, space(path));
    }

    private static FileData.Space space(TreePath path) throws IOException {
        try (var file = path.getFileSystem().tree().find(path.bytes(), true)) {
            return FileData.space(file);
        } catch (LinuxException refused) {
            throw Refusals.of(refused, path.toString());
        }
    }

    @Override
    public String name() {
        return path.toString();
    }

    @Override
    public String type() {
        return atFirst.type().toString();
    }

    @Override
    public boolean isReadOnly() {
        return atFirst.readOnly();
    }

    @Override
    public long getTotalSpace() throws IOException {
        var now = space(path);
        return now.blocks() * now.blockSize();
    }

    @Override
    public long getUsableSpace() throws IOException {
        var now = space(path);
        return now.available() * now.blockSize();
    }

    @Override
    public long getUnallocatedSpace() throws IOException {
        var now = space(path);
        return now.free() * now.blockSize();
    }

    @Override
    public boolean supportsFileAttributeView(Class<? extends FileAttributeView> type) {
        return type.isAssignableFrom(TreeAttributeView.class) || type.isAssignableFrom(TreeUserAttributes.class);
    }

    @Override
    public boolean supportsFileAttributeView(String name) {
        return AttributeNames.VIEWS.contains(name);
    }

    @Override
    public <V extends FileStoreAttributeView> @Nullable V getFileStoreAttributeView(Class<V> type) {
        return null;
    }

    @Override
    public Object getAttribute(String attribute) throws IOException {
        return switch (attribute) {
            case "totalSpace" -> getTotalSpace();
            case "usableSpace" -> getUsableSpace();
            case "unallocatedSpace" -> getUnallocatedSpace();
            default -> throw new UnsupportedOperationException("'" + attribute + "'");
        };
    }
}

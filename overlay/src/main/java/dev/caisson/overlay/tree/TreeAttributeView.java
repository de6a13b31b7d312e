// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileStatus;
import java.io.IOException;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.UserPrincipal;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads and changes the attributes of what a path leads to; each call resolves it anew and acts on the descriptor. */
final class TreeAttributeView implements PosixFileAttributeView, AttributeNames.Target {
    private final Finder finder;
    private final String path;
    private final String name;

    /** Opens the file as an O_PATH descriptor. */
    interface Finder {
        Fd find() throws LinuxException;
    }

    TreeAttributeView(Finder finder, String path, String name) {
        this.finder = finder;
        this.path = path;
        this.name = name;
    }

    private interface Change {
        void apply(Fd file) throws LinuxException;
    }

    private void change(Change change) throws IOException {
        try (var file = finder.find()) {
            change.apply(file);
        } catch (LinuxException refused) {
            throw Refusals.of(refused, path);
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public TreeAttributes readAttributes() throws IOException {
        try (var file = finder.find()) {
            return new TreeAttributes(FileStatus.of(file));
        } catch (LinuxException refused) {
            throw Refusals.of(refused, path);
        }
    }

    /** The creation time cannot be set on Linux, and is left alone. */
    @Override
    public void setTimes(@Nullable FileTime modified, @Nullable FileTime accessed, @Nullable FileTime created)
            throws IOException {
        change(file -> At.changeTimes(
                file,
                accessed == null ? null : TreeAttributes.time(accessed),
                modified == null ? null : TreeAttributes.time(modified)));
    }

    @Override
    public void setPermissions(Set<PosixFilePermission> permissions) throws IOException {
        setMode(TreeAttributes.mode(permissions));
    }

    @Override
    public void setMode(int mode) throws IOException {
        change(file -> At.changeMode(file, mode));
    }

    @Override
    public void setOwner(long uid, long gid) throws IOException {
        change(file -> At.changeOwner(file, uid, gid));
    }

    @Override
    public UserPrincipal getOwner() throws IOException {
        return readAttributes().owner();
    }

    @Override
    public void setOwner(UserPrincipal owner) throws IOException {
        setOwner(TreePrincipals.number(owner.getName()), -1);
    }

    @Override
    public void setGroup(GroupPrincipal group) throws IOException {
        setOwner(-1, TreePrincipals.number(group.getName()));
    }
}

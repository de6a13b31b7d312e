// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import dev.caisson.linux.sys.FileStatus;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.UserPrincipal;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Set;

/** What is known of a file at one moment. */
record TreeAttributes(FileStatus status) implements PosixFileAttributes {
    private static final PosixFilePermission[] BITS = PosixFilePermission.values();

    /** What makes two names the same file. */
    record Key(long device, long inode) {}

    static FileTime time(FileStatus.Time time) {
        return FileTime.from(Instant.ofEpochSecond(time.seconds(), time.nanos()));
    }

    static FileStatus.Time time(FileTime time) {
        var instant = time.toInstant();
        return new FileStatus.Time(instant.getEpochSecond(), instant.getNano());
    }

    /** {@return the lower nine bits as a set; the enum is declared from the owner's r to the others' x} */
    static Set<PosixFilePermission> permissions(int mode) {
        var set = EnumSet.noneOf(PosixFilePermission.class);
        for (int i = 0; i < BITS.length; i++) {
            if ((mode & 0400 >> i) != 0) {
                set.add(BITS[i]);
            }
        }
        return set;
    }

    static int mode(Set<PosixFilePermission> permissions) {
        int mode = 0;
        for (int i = 0; i < BITS.length; i++) {
            if (permissions.contains(BITS[i])) {
                mode |= 0400 >> i;
            }
        }
        return mode;
    }

    @Override
    public FileTime lastModifiedTime() {
        return time(status.modified());
    }

    @Override
    public FileTime lastAccessTime() {
        return time(status.accessed());
    }

    @Override
    public FileTime creationTime() {
        return time(status.born().orElse(status.modified()));
    }

    @Override
    public boolean isRegularFile() {
        return status.isFile();
    }

    @Override
    public boolean isDirectory() {
        return status.isDirectory();
    }

    @Override
    public boolean isSymbolicLink() {
        return status.isSymbolicLink();
    }

    @Override
    public boolean isOther() {
        return !isRegularFile() && !isDirectory() && !isSymbolicLink();
    }

    @Override
    public long size() {
        return status.size();
    }

    @Override
    public Object fileKey() {
        return new Key(status.device(), status.inode());
    }

    @Override
    public UserPrincipal owner() {
        return new TreePrincipals.User(status.uid());
    }

    @Override
    public GroupPrincipal group() {
        return new TreePrincipals.Group(status.gid());
    }

    @Override
    public Set<PosixFilePermission> permissions() {
        return permissions(status.mode());
    }
}

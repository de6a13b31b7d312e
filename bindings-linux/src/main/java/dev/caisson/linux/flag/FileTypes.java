// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.flag;

/** The type of a file in its mode (inode(7)). */
public final class FileTypes {
    public static final int S_IFMT = 0170000;
    public static final int S_IFIFO = 0010000;
    public static final int S_IFCHR = 0020000;
    public static final int S_IFDIR = 0040000;
    public static final int S_IFBLK = 0060000;
    public static final int S_IFREG = 0100000;
    public static final int S_IFLNK = 0120000;
    public static final int S_IFSOCK = 0140000;

    private FileTypes() {}
}

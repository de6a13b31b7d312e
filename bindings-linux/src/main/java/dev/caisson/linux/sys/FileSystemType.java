// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import dev.caisson.linux.LinuxException;
import java.util.Map;
import java.util.Set;

/**
 * What kind of file system a file is on: what is mounted there now, whatever lists say. The one place of their numbers
 * (linux/magic.h).
 *
 * @param magic its number, as statfs(2) has it
 */
public record FileSystemType(long magic) {
    public static final FileSystemType BTRFS = new FileSystemType(0x9123683eL);
    public static final FileSystemType CGROUP = new FileSystemType(0x27e0ebL);
    public static final FileSystemType CGROUP2 = new FileSystemType(0x63677270L);
    public static final FileSystemType EXT = new FileSystemType(0xef53L);
    public static final FileSystemType OVERLAY = new FileSystemType(0x794c7630L);
    public static final FileSystemType PROC = new FileSystemType(0x9fa0L);
    public static final FileSystemType SYSFS = new FileSystemType(0x62656572L);
    public static final FileSystemType TMPFS = new FileSystemType(0x01021994L);
    public static final FileSystemType XFS = new FileSystemType(0x58465342L);

    /** Those whose files the kernel makes up as they are read, some with effects, some without end. */
    private static final Set<Long> OF_THE_KERNEL = Set.of(
            PROC.magic,
            SYSFS.magic,
            CGROUP.magic,
            CGROUP2.magic,
            0x64626720L, // debugfs
            0x74726163L, // tracefs
            0x73636673L, // securityfs
            0x62656570L, // configfs
            0xcafe4a11L, // bpf
            0x6165676cL, // pstore
            0xde5e81e4L, // efivarfs
            0x42494e4dL, // binfmt_misc
            0x65735543L, // fusectl
            0xf97cff8cL, // selinuxfs
            0x43415d53L, // smackfs
            0x6e736673L, // nsfs
            0x7655821L); // resctrl

    /** What mount(8) calls those that people meet. */
    private static final Map<Long, String> NAMES = Map.ofEntries(
            Map.entry(BTRFS.magic, "btrfs"),
            Map.entry(CGROUP.magic, "cgroup"),
            Map.entry(CGROUP2.magic, "cgroup2"),
            Map.entry(EXT.magic, "ext4"),
            Map.entry(OVERLAY.magic, "overlay"),
            Map.entry(PROC.magic, "proc"),
            Map.entry(SYSFS.magic, "sysfs"),
            Map.entry(TMPFS.magic, "tmpfs"),
            Map.entry(XFS.magic, "xfs"),
            Map.entry(0x858458f6L, "ramfs"),
            Map.entry(0x6969L, "nfs"),
            Map.entry(0x65735546L, "fuse"),
            Map.entry(0xff534d42L, "cifs"),
            Map.entry(0x4d44L, "vfat"),
            Map.entry(0x2fc12fc1L, "zfs"),
            Map.entry(0x01021997L, "9p"),
            Map.entry(0x73717368L, "squashfs"),
            Map.entry(0xe0f5e1e2L, "erofs"));

    /** {@return that of the file system that holds a path} */
    public static FileSystemType of(String path) throws LinuxException {
        return FileData.space(path).type();
    }

    /** {@return that of the file system of what a descriptor is open on, which may be an O_PATH one} */
    public static FileSystemType of(Fd file) throws LinuxException {
        return FileData.space(file).type();
    }

    /** {@return whether its files are interfaces of the kernel, and not data} */
    public boolean isOfTheKernel() {
        return OF_THE_KERNEL.contains(magic);
    }

    /** {@return its name as mount(8) has it; its number in hexadecimal if it has none here} */
    @Override
    public String toString() {
        return NAMES.getOrDefault(magic, "0x" + Long.toHexString(magic));
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.mount;

import static dev.caisson.linux.call.Arg.named;
import static dev.caisson.linux.call.Arg.nullPointer;
import static dev.caisson.linux.call.Arg.of;
import static dev.caisson.linux.call.Arg.text;

import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Call;
import dev.caisson.linux.call.Flags;
import dev.caisson.linux.flag.AtFlags;
import dev.caisson.linux.flag.MountAttributes;
import dev.caisson.linux.flag.MountFlags;
import dev.caisson.linux.flag.MoveMountFlags;
import dev.caisson.linux.flag.OpenTreeFlags;

/**
 * The mount API of Linux 5.2 (fsopen(2), open_tree(2), move_mount(2), mount_setattr(2)) as calls, to be made here or in a child.
 * File systems exist as descriptors first and get their place last, so that no path string decides where something lands.
 */
public final class MountApi {
    private static final Flags TREE = Flags.named("0")
            .with("OPEN_TREE_CLONE", OpenTreeFlags.OPEN_TREE_CLONE)
            .with("AT_EMPTY_PATH", AtFlags.AT_EMPTY_PATH)
            .with("AT_RECURSIVE", AtFlags.AT_RECURSIVE)
            .with("OPEN_TREE_CLOEXEC", OpenTreeFlags.OPEN_TREE_CLOEXEC);
    private static final Arg FSOPEN_CLOEXEC = named(1, "FSOPEN_CLOEXEC");
    private static final Arg FSMOUNT_CLOEXEC = named(1, "FSMOUNT_CLOEXEC");
    private static final Arg SET_FLAG = named(0, "FSCONFIG_SET_FLAG");
    private static final Arg SET_STRING = named(1, "FSCONFIG_SET_STRING");
    private static final Arg SET_FD = named(5, "FSCONFIG_SET_FD");
    private static final Arg CREATE = named(6, "FSCONFIG_CMD_CREATE");
    private static final Arg NOTHING = nullPointer();
    private static final Arg ZERO = of(0);
    private static final Arg ITSELF = text("");

    /** The size of struct mount_attr in its first version. */
    private static final Arg ATTR_SIZE = of(32);

    private static final Arg FROM_ITSELF = MoveMountFlags.of(MoveMountFlags.MOVE_MOUNT_F_EMPTY_PATH);
    private static final Arg FROM_ITSELF_TO_ITSELF =
            MoveMountFlags.of(MoveMountFlags.MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags.MOVE_MOUNT_T_EMPTY_PATH);

    private MountApi() {}

    /** {@return the call that opens a file system's context, to be configured, {@linkplain #create made} and mounted} */
    public static Call open(String fileSystem) {
        return Call.of(Syscall.FSOPEN, text(fileSystem), FSOPEN_CLOEXEC);
    }

    /** {@return the call that gives a parameter a value, of less than 256 bytes} */
    public static Call set(Arg context, String key, String value) {
        return set(context, text(key), text(value));
    }

    /** {@return the same for those that are arguments already} */
    public static Call set(Arg context, Arg key, Arg value) {
        return Call.of(Syscall.FSCONFIG, context, SET_STRING, key, value, ZERO);
    }

    /** {@return the call that gives a parameter a descriptor} */
    public static Call setDescriptor(Arg context, Arg key, Arg descriptor) {
        return Call.of(Syscall.FSCONFIG, context, SET_FD, key, NOTHING, descriptor);
    }

    /** {@return the call that sets a parameter without a value} */
    public static Call setFlag(Arg context, String key) {
        return Call.of(Syscall.FSCONFIG, context, SET_FLAG, text(key), NOTHING, ZERO);
    }

    /** {@return the call that makes the file system} */
    public static Call create(Arg context) {
        return Call.of(Syscall.FSCONFIG, context, CREATE, NOTHING, NOTHING, ZERO);
    }

    /**
     * {@return the call whose result is a mount, without a place, of the file system that was made}
     *
     * @param attributes of {@link MountAttributes}
     */
    public static Call mount(Arg context, long attributes) {
        return Call.of(Syscall.FSMOUNT, context, FSMOUNT_CLOEXEC, MountAttributes.of(attributes));
    }

    /**
     * {@return the call whose result is a copy, without a place, of a mount}
     *
     * @param directory where the path begins
     * @param path of a place in the mount; empty: the directory itself
     * @param recursive whether with what is mounted in it
     */
    public static Call cloneOf(Arg directory, String path, boolean recursive) {
        return Call.of(
                Syscall.OPEN_TREE,
                directory,
                text(path),
                TREE.of(OpenTreeFlags.OPEN_TREE_CLONE
                        | OpenTreeFlags.OPEN_TREE_CLOEXEC
                        | (path.isEmpty() ? AtFlags.AT_EMPTY_PATH : 0)
                        | (recursive ? AtFlags.AT_RECURSIVE : 0)));
    }

    /**
     * {@return the call that gives a mount attributes}
     *
     * @param set of {@link MountAttributes}
     * @param propagation MS_PRIVATE, MS_SLAVE or MS_SHARED; 0: as it is
     * @param recursive whether with what is mounted in it
     */
    public static Call setAttributes(Arg mount, long set, long propagation, boolean recursive) {
        return Call.of(
                Syscall.MOUNT_SETATTR,
                mount,
                ITSELF,
                TREE.of(AtFlags.AT_EMPTY_PATH | (recursive ? AtFlags.AT_RECURSIVE : 0)),
                Arg.words(
                        "{attr_set=" + MountAttributes.text(set) + ", propagation=" + MountFlags.text(propagation)
                                + "}",
                        set,
                        0,
                        propagation,
                        0),
                ATTR_SIZE);
    }

    /**
     * {@return the call that shows a mount with the ids of a user namespace (Linux 5.12)}
     *
     * @param userNamespace the number of a descriptor
     */
    public static Call showWithIdsOf(Arg mount, int userNamespace) {
        return Call.of(
                Syscall.MOUNT_SETATTR,
                mount,
                ITSELF,
                TREE.of(AtFlags.AT_EMPTY_PATH),
                Arg.words(
                        "{attr_set=MOUNT_ATTR_IDMAP, userns_fd=" + userNamespace + "}",
                        MountAttributes.MOUNT_ATTR_IDMAP,
                        0,
                        0,
                        userNamespace),
                ATTR_SIZE);
    }

    /** {@return the call that gives a mount its place, which a descriptor is open on} */
    public static Call attach(Arg mount, Arg place) {
        return Call.of(Syscall.MOVE_MOUNT, mount, ITSELF, place, ITSELF, FROM_ITSELF_TO_ITSELF);
    }

    /** {@return the call that gives a mount its place, which has a name in a directory} */
    public static Call attach(Arg mount, Arg directory, String name) {
        return Call.of(Syscall.MOVE_MOUNT, mount, ITSELF, directory, text(name), FROM_ITSELF);
    }

    /** {@return the call that puts a mount over the root that the process still has, where no path of it leads: a place to be from} */
    public static Call park(Arg mount) {
        return attach(mount, AtFlags.CWD, "/");
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * How an overlay behaves (Documentation/filesystems/overlayfs.rst). What is empty is left to the kernel, whose own defaults
 * depend on how it was built. Immutable; each method returns another value.
 *
 * <p>What works on a given file system is found out by trial: {@link OverlaySupport#probe}.
 */
public record OverlayOptions(
        Optional<RedirectDir> redirectDir,
        Optional<Metacopy> metacopy,
        Optional<Index> index,
        Optional<Xino> xino,
        Optional<Uuid> uuid,
        Optional<Verity> verity,
        Durability durability,
        Attributes attributes) {

    /**
     * What becomes of renaming a directory of a lower layer (Linux 4.10). Without it rename(2) fails with EXDEV; mv(1) and
     * most tools then copy the whole tree, a program that does not expect it fails.
     */
    public enum RedirectDir {
        /** Renames leave a redirect in the upper and copy nothing. Costs: the upper alone no longer tells all; whoever reads it must follow redirects, as {@link Overlay#changes} does. */
        ON,
        /** Redirects that are there are followed, none are made. */
        FOLLOW,
        /** Redirects that are there are not followed: for uppers from strangers, who could lead into hidden parts of a layer. */
        NOFOLLOW,
        /** Neither. */
        OFF
    }

    /**
     * Whether chmod, chown and the like copy a file's content (Linux 4.19). Without it, chown of a 1 GB file writes 1 GB. Costs:
     * an upper's files may be without their content, which a copy of the upper alone would lose; implies {@link RedirectDir#ON}.
     */
    public enum Metacopy {
        ON,
        OFF
    }

    /**
     * Whether hard links survive being copied up (Linux 4.13). Without it, writing to one name of a file with several leaves the
     * others at the old content. Costs: the upper is bound to these very lower layers and file handles, so that it cannot be
     * moved or copied; a second mount of the same upper is refused rather than undefined.
     */
    public enum Index {
        ON,
        OFF
    }

    /**
     * Whether inode numbers are unique and stay when a file is copied up although layers are on several file systems (Linux
     * 4.17). Without it st_dev of a file may differ from that of its directory, which upsets find -xdev, du and tar. Costs: the
     * upper bits of 64-bit inode numbers.
     */
    public enum Xino {
        ON,
        AUTO,
        OFF
    }

    /**
     * What statfs(2) says of the overlay's identity (Linux 6.6). Without one of its own, software that tells mounts apart by
     * f_fsid may confuse two overlays. {@link #ON} stores a random one in the upper. Costs: that attribute; a copy of the upper has
     * the same identity.
     */
    public enum Uuid {
        ON,
        AUTO,
        NULL,
        OFF
    }

    /**
     * Whether the content of metacopied files is checked against fs-verity digests (Linux 6.6). Needs {@link Metacopy#ON} and
     * layers on a file system with fs-verity. {@link #REQUIRE} takes no file without a digest for a metacopy, and copies it whole.
     * Without it content that changed in a lower layer shows under old metadata. Costs: a digest in the upper for each metacopy,
     * compared on each open.
     */
    public enum Verity {
        ON,
        REQUIRE,
        OFF
    }

    /** Whether fsync and friends reach the disk. */
    public enum Durability {
        /** As on any file system. */
        SYNC,
        /**
         * Nothing is synced (Linux 5.10): much faster package installations, and after a crash of the host the upper is
         * worthless. A mark in the work directory makes the kernel refuse to use it again until it is removed.
         */
        VOLATILE
    }

    /** Which extended attributes hold overlayfs's marks. */
    public enum Attributes {
        /** trusted.overlay.*, which only root can forge; in a user namespace {@link #USER} is used all the same. */
        TRUSTED,
        /**
         * user.overlay.* ({@code userxattr}, Linux 5.11): what ordinary users can mount and read. Costs: whoever can write
         * to a layer can forge marks, so the kernel refuses redirects and metacopy with it.
         */
        USER
    }

    private static final OverlayOptions DEFAULTS = new OverlayOptions(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Durability.SYNC,
            Attributes.TRUSTED);

    /**
     * Checks that the options go together.
     *
     * @throws IllegalArgumentException if the kernel would refuse their combination
     */
    public OverlayOptions {
        boolean copies = metacopy.equals(Optional.of(Metacopy.ON));
        boolean redirects = redirectDir.equals(Optional.of(RedirectDir.ON));
        refuse(
                copies && redirectDir.isPresent() && !redirects,
                "metacopy ON with redirectDir " + redirectDir.map(Enum::name).orElse(""),
                "redirectDir ON, or neither");
        refuse(
                verity.isPresent() && verity.get() != Verity.OFF && !copies,
                "verity without metacopy",
                "metacopy ON beside it");
        refuse(
                attributes == Attributes.USER && (copies || redirects),
                "attributes USER with redirectDir or metacopy ON",
                "attributes TRUSTED, which needs root");
    }

    private static void refuse(boolean contradiction, String what, String allowed) {
        if (contradiction) {
            throw new IllegalArgumentException("overlay options: " + what + "; overlayfs takes " + allowed);
        }
    }

    /** {@return everything as the kernel has it by default, with marks in trusted attributes} */
    public static OverlayOptions defaults() {
        return DEFAULTS;
    }

    /** {@return these with what becomes of renaming a directory of a lower layer} */
    public OverlayOptions redirectDir(RedirectDir value) {
        return new OverlayOptions(Optional.of(value), metacopy, index, xino, uuid, verity, durability, attributes);
    }

    /** {@return these with whether chmod and chown copy a file's content} */
    public OverlayOptions metacopy(Metacopy value) {
        return new OverlayOptions(redirectDir, Optional.of(value), index, xino, uuid, verity, durability, attributes);
    }

    /** {@return these with whether hard links survive being copied up} */
    public OverlayOptions index(Index value) {
        return new OverlayOptions(
                redirectDir, metacopy, Optional.of(value), xino, uuid, verity, durability, attributes);
    }

    /** {@return these with whether inode numbers are unique over several file systems} */
    public OverlayOptions xino(Xino value) {
        return new OverlayOptions(
                redirectDir, metacopy, index, Optional.of(value), uuid, verity, durability, attributes);
    }

    /** {@return these with what statfs(2) says of the overlay's identity} */
    public OverlayOptions uuid(Uuid value) {
        return new OverlayOptions(
                redirectDir, metacopy, index, xino, Optional.of(value), verity, durability, attributes);
    }

    /** {@return these with whether metacopied files are checked against digests} */
    public OverlayOptions verity(Verity value) {
        return new OverlayOptions(redirectDir, metacopy, index, xino, uuid, Optional.of(value), durability, attributes);
    }

    /** {@return these with whether fsync reaches the disk} */
    public OverlayOptions durability(Durability value) {
        return new OverlayOptions(redirectDir, metacopy, index, xino, uuid, verity, value, attributes);
    }

    /** {@return these with which extended attributes hold overlayfs's marks} */
    public OverlayOptions attributes(Attributes value) {
        return new OverlayOptions(redirectDir, metacopy, index, xino, uuid, verity, durability, value);
    }

    /** {@return them as mount(8) writes options, such as {@code redirect_dir=on} and {@code volatile}} */
    public List<String> mountOptions() {
        var all = new ArrayList<String>();
        add(all, "redirect_dir", redirectDir);
        add(all, "metacopy", metacopy);
        add(all, "index", index);
        add(all, "xino", xino);
        add(all, "uuid", uuid);
        add(all, "verity", verity);
        if (durability == Durability.VOLATILE) {
            all.add("volatile");
        }
        if (attributes == Attributes.USER) {
            all.add("userxattr");
        }
        return all;
    }

    private static void add(List<String> all, String key, Optional<? extends Enum<?>> value) {
        if (value.isPresent()) {
            all.add(key + "=" + value.get().name().toLowerCase(Locale.ROOT));
        }
    }
}

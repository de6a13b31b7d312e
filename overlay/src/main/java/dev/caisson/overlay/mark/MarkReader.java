// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.mark;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.sys.Directory;
import dev.caisson.linux.sys.FileStatus;
import java.util.List;
import java.util.Optional;

/** Reads marks from the directories of a layer. Immutable. */
public final class MarkReader {
    private static final long NO_DEVICE = 0;

    /** No file system has longer ones (NAME_MAX). */
    private static final int LONGEST_NAME = 255;

    private final XattrNamespace names;

    public MarkReader(XattrNamespace names) {
        this.names = names;
    }

    /** {@return whether an entry is a whiteout, and of which kind} */
    public Optional<Mark.Whiteout> whiteout(Directory parent, Mark.Directory parentMark, String name, FileStatus stat)
            throws LinuxException {
        if (stat.isCharacterDevice() && stat.rdev() == NO_DEVICE) {
            return Optional.of(new Mark.Whiteout(Mark.Encoding.DEVICE));
        }
        boolean byXattr = parentMark.holdsXattrWhiteouts()
                && stat.isFile()
                && stat.size() == 0
                && parent.xattr(name, names.whiteout()).isPresent();
        return byXattr ? Optional.of(new Mark.Whiteout(Mark.Encoding.XATTR)) : Optional.empty();
    }

    /** {@return the mark of a directory} */
    public Mark.Directory directory(Directory directory) throws LinuxException {
        List<String> attributes = directory.xattrs();
        if (attributes.stream().noneMatch(names::isOwn)) {
            return Mark.PLAIN_DIRECTORY;
        }
        String opaque = attributes.contains(names.opaque()) ? text(directory.xattr(names.opaque())) : "";
        Optional<String> redirect = attributes.contains(names.redirect())
                ? directory.xattr(names.redirect()).flatMap(MarkReader::redirect)
                : Optional.empty();
        return new Mark.Directory(
                opaque.equals("y"), opaque.equals("x"), attributes.contains(names.impure()), redirect);
    }

    /**
     * {@return the mark of an entry that is neither directory nor whiteout}
     *
     * @param attributes the names of its extended attributes
     */
    public Mark.File file(Directory parent, String name, List<String> attributes) throws LinuxException {
        boolean metacopy = attributes.contains(names.metacopy());
        Optional<String> redirect = metacopy && attributes.contains(names.redirect())
                ? parent.xattr(name, names.redirect()).flatMap(MarkReader::redirect)
                : Optional.empty();
        return new Mark.File(metacopy, redirect);
    }

    /**
     * {@return where a redirect leads; empty if the kernel would not follow it} Whoever may write to an upper may write anything
     * there: paths that leave the layers, or are none at all. The rules are those of ovl_get_redirect_xattr().
     */
    private static Optional<String> redirect(byte[] value) {
        String text = FileNames.decode(value);
        boolean absolute = text.startsWith("/");
        var names = List.of((absolute ? text.substring(1) : text).split("/", -1));
        return (absolute || names.size() == 1) && names.stream().allMatch(MarkReader::isName)
                ? Optional.of(text)
                : Optional.empty();
    }

    private static boolean isName(String name) {
        return !name.isEmpty()
                && !name.equals(".")
                && !name.equals("..")
                && name.indexOf('\0') < 0
                && FileNames.encode(name).length <= LONGEST_NAME;
    }

    /** {@return which attributes are marks} */
    public XattrNamespace names() {
        return names;
    }

    private static String text(Optional<byte[]> value) {
        return value.map(FileNames::decode).orElse("");
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import java.io.IOException;
import java.net.URI;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.ProviderMismatchException;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A path inside a root: bytes, without empty names. Two are equal if their bytes are. Immutable. */
final class TreePath implements Path {
    private static final byte SLASH = '/';

    private final TreeFileSystem fileSystem;
    private final byte[] bytes;
    private final int[] starts;

    private TreePath(TreeFileSystem fileSystem, byte[] bytes) {
        this.fileSystem = fileSystem;
        this.bytes = bytes;
        this.starts = starts(bytes);
    }

    static TreePath of(TreeFileSystem fileSystem, String text) {
        return of(fileSystem, NameCodec.encode(text));
    }

    static TreePath of(TreeFileSystem fileSystem, byte[] bytes) {
        byte[] out = new byte[bytes.length];
        int length = 0;
        for (byte b : bytes) {
            if (b != SLASH || length == 0 || out[length - 1] != SLASH) {
                out[length++] = b;
            }
        }
        if (length > 1 && out[length - 1] == SLASH) {
            length--;
        }
        return new TreePath(fileSystem, Arrays.copyOf(out, length));
    }

    private static int[] starts(byte[] bytes) {
        if (bytes.length == 1 && bytes[0] == SLASH) {
            return new int[0];
        }
        int[] starts = new int[bytes.length + 1];
        int count = 0;
        for (int i = 0; i <= bytes.length; i++) {
            boolean first = i == 0 && (bytes.length == 0 || bytes[0] != SLASH);
            if (first || i > 0 && bytes[i - 1] == SLASH) {
                starts[count++] = i;
            }
        }
        return Arrays.copyOf(starts, count);
    }

    /** {@return the bytes, not to be changed} */
    byte[] bytes() {
        return bytes;
    }

    byte[] nameBytes(int index) {
        int end = index + 1 < starts.length ? starts[index + 1] - 1 : bytes.length;
        return Arrays.copyOfRange(bytes, starts[index], end);
    }

    private TreePath with(byte[] other) {
        return new TreePath(fileSystem, other);
    }

    @Override
    public TreeFileSystem getFileSystem() {
        return fileSystem;
    }

    @Override
    public boolean isAbsolute() {
        return bytes.length > 0 && bytes[0] == SLASH;
    }

    @Override
    public @Nullable Path getRoot() {
        return isAbsolute() ? with(new byte[] {SLASH}) : null;
    }

    @Override
    public @Nullable Path getFileName() {
        return starts.length == 0 ? null : with(nameBytes(starts.length - 1));
    }

    @Override
    public @Nullable Path getParent() {
        if (starts.length == 0) {
            return null;
        }
        if (starts.length == 1) {
            return getRoot();
        }
        return with(Arrays.copyOf(bytes, starts[starts.length - 1] - 1));
    }

    @Override
    public int getNameCount() {
        return starts.length;
    }

    @Override
    public Path getName(int index) {
        if (index < 0 || index >= starts.length) {
            throw new IllegalArgumentException("name " + index + " of " + starts.length);
        }
        return with(nameBytes(index));
    }

    @Override
    public Path subpath(int begin, int end) {
        if (begin < 0 || end > starts.length || begin >= end) {
            throw new IllegalArgumentException("names " + begin + " to " + end + " of " + starts.length);
        }
        int stop = end < starts.length ? starts[end] - 1 : bytes.length;
        return with(Arrays.copyOfRange(bytes, starts[begin], stop));
    }

    private List<byte[]> names() {
        var names = new ArrayList<byte[]>();
        for (int i = 0; i < starts.length; i++) {
            names.add(nameBytes(i));
        }
        return names;
    }

    private TreePath joined(boolean absolute, List<byte[]> names) {
        int size = names.stream().mapToInt(n -> n.length + 1).sum() + 1;
        byte[] out = new byte[size];
        int at = 0;
        if (absolute) {
            out[at++] = SLASH;
        }
        for (int i = 0; i < names.size(); i++) {
            if (i > 0) {
                out[at++] = SLASH;
            }
            System.arraycopy(names.get(i), 0, out, at, names.get(i).length);
            at += names.get(i).length;
        }
        return with(Arrays.copyOf(out, at));
    }

    @Override
    public boolean startsWith(Path other) {
        return other instanceof TreePath that
                && that.fileSystem == fileSystem
                && that.isAbsolute() == isAbsolute()
                && that.starts.length <= starts.length
                && (that.bytes.length > 0 || bytes.length == 0)
                && equalNames(that, 0);
    }

    @Override
    public boolean endsWith(Path other) {
        if (!(other instanceof TreePath that) || that.fileSystem != fileSystem) {
            return false;
        }
        if (that.isAbsolute()) {
            return equals(that);
        }
        return that.starts.length <= starts.length
                && (that.bytes.length > 0 || bytes.length == 0)
                && equalNames(that, starts.length - that.starts.length);
    }

    private boolean equalNames(TreePath part, int from) {
        for (int i = 0; i < part.starts.length; i++) {
            if (!Arrays.equals(part.nameBytes(i), nameBytes(from + i))) {
                return false;
            }
        }
        return true;
    }

    /** As the contract has it: without a look at the files, so that {@code a/..} is nothing even if {@code a} is a link. */
    @Override
    public Path normalize() {
        var kept = new ArrayList<byte[]>();
        for (byte[] name : names()) {
            boolean dotDot = name.length == 2 && SafeTree.isDots(name);
            if (name.length == 1 && name[0] == '.') {
                continue;
            }
            boolean above = kept.isEmpty() || isDotDot(kept.getLast());
            if (!dotDot || above && !isAbsolute()) {
                kept.add(name);
            } else if (!above) {
                kept.removeLast();
            }
        }
        return joined(isAbsolute(), kept);
    }

    private static boolean isDotDot(byte[] name) {
        return name.length == 2 && SafeTree.isDots(name);
    }

    @Override
    public Path resolve(Path other) {
        var that = fileSystem.mine(other);
        if (that.isAbsolute() || bytes.length == 0) {
            return that;
        }
        if (that.bytes.length == 0) {
            return this;
        }
        return resolve(that.bytes);
    }

    TreePath resolve(byte[] relative) {
        byte[] out = Arrays.copyOf(bytes, bytes.length + 1 + relative.length);
        out[bytes.length] = SLASH;
        System.arraycopy(relative, 0, out, bytes.length + 1, relative.length);
        return of(fileSystem, bytes.length == 0 ? relative : out);
    }

    @Override
    public Path relativize(Path other) {
        var that = fileSystem.mine(other);
        if (that.isAbsolute() != isAbsolute()) {
            throw new IllegalArgumentException("only one of " + this + " and " + that + " is absolute");
        }
        if (bytes.length == 0) {
            return that;
        }
        var mine = names();
        var its = that.bytes.length == 0 ? List.<byte[]>of() : that.names();
        int common = 0;
        while (common < mine.size() && common < its.size() && Arrays.equals(mine.get(common), its.get(common))) {
            common++;
        }
        var out = new ArrayList<byte[]>();
        for (byte[] name : mine.subList(common, mine.size())) {
            if (isDotDot(name)) {
                throw new IllegalArgumentException("\"..\" in " + this + " may lead anywhere");
            }
            out.add(new byte[] {'.', '.'});
        }
        out.addAll(its.subList(common, its.size()));
        return joined(false, out);
    }

    /** {@return a URI that shows the path; it cannot be turned back, since a container is not found by its name} */
    @Override
    public URI toUri() {
        var out = new StringBuilder(TreeProvider.SCHEME).append("://");
        for (byte b : toAbsolutePath().bytes) {
            boolean plain =
                    b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || "/._-~".indexOf(b) >= 0;
            out.append(plain ? String.valueOf((char) b) : String.format("%%%02X", b & 0xff));
        }
        return URI.create(out.toString());
    }

    @Override
    public TreePath toAbsolutePath() {
        return isAbsolute() ? this : with(new byte[] {SLASH}).resolve(bytes);
    }

    @Override
    public Path toRealPath(LinkOption... options) throws IOException {
        return RealPath.of(this, !Arrays.asList(options).contains(LinkOption.NOFOLLOW_LINKS));
    }

    /** Not supported: what happens inside a container can be polled, or watched with its own tools. */
    @Override
    public WatchKey register(WatchService watcher, WatchEvent.Kind<?>[] events, WatchEvent.Modifier... modifiers) {
        throw new ProviderMismatchException("a container's files cannot be watched");
    }

    @Override
    public int compareTo(Path other) {
        return Arrays.compareUnsigned(bytes, ((TreePath) other).bytes);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof TreePath that && that.fileSystem == fileSystem && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return Objects.hash(System.identityHashCode(fileSystem), Arrays.hashCode(bytes));
    }

    /** {@return the path by {@link NameCodec}; it may hold newlines and escaped bytes} */
    @Override
    public String toString() {
        return NameCodec.decode(bytes);
    }

    static String join(String first, String... more) {
        var out = new StringBuilder(first);
        for (String part : more) {
            if (!part.isEmpty()) {
                out.append(out.isEmpty() ? "" : "/").append(part);
            }
        }
        if (out.indexOf("\0") >= 0) {
            throw new InvalidPathException(out.toString().replace('\0', '\u2400'), "a name cannot hold NUL");
        }
        return out.toString();
    }
}

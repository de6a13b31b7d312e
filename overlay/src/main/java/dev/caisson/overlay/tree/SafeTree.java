// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import static dev.caisson.linux.flag.OpenFlags.O_CREAT;
import static dev.caisson.linux.flag.OpenFlags.O_DIRECTORY;
import static dev.caisson.linux.flag.OpenFlags.O_NOFOLLOW;
import static dev.caisson.linux.flag.OpenFlags.O_PATH;
import static dev.caisson.linux.flag.ResolveFlags.RESOLVE_IN_ROOT;
import static dev.caisson.linux.flag.ResolveFlags.RESOLVE_NO_MAGICLINKS;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Identity;
import java.nio.file.ClosedFileSystemException;
import java.util.Arrays;
import java.util.Optional;

/**
 * A directory that is a root for every path resolved in it.
 *
 * <p>An attacker inside can rename, replace directories by symbolic links to anywhere, and mount over them, between any two
 * of our calls. Each path is therefore resolved by one openat2(2) with RESOLVE_IN_ROOT, in which the kernel keeps {@code ..}
 * and every link inside the root, and what is then done is done to the descriptor that came of it, or to one name in it,
 * which is not followed. Magic links of /proc are refused. What remains: the attacker decides <em>which</em> file inside the
 * root a path leads to at that moment.
 *
 * <p>Thread-safe. Closing waits for nobody: the root's descriptor goes when the last call on it has returned.
 */
public final class SafeTree implements AutoCloseable {
    private static final long IN_ROOT = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;

    private final Fd root;
    private final Optional<Owner> owner;
    private int users;
    private boolean closed;

    /** Whose files are made, by the host's numbers. */
    public record Owner(long uid, long gid) {}

    /**
     * Takes ownership of a directory's descriptor.
     *
     * @param owner of what is made in it; empty: whoever this process is
     */
    public SafeTree(Fd root, Optional<Owner> owner) {
        this.root = root;
        this.owner = owner;
    }

    /** Work with the root's descriptor. */
    private interface Use<T> {
        T with(Fd root) throws LinuxException;
    }

    private <T> T use(Use<T> work) throws LinuxException {
        synchronized (this) {
            if (closed) {
                throw new ClosedFileSystemException();
            }
            users++;
        }
        try {
            return work.with(root);
        } finally {
            leave();
        }
    }

    private synchronized void leave() {
        users--;
        if (closed && users == 0) {
            root.close();
        }
    }

    synchronized boolean isOpen() {
        return !closed;
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (users == 0) {
            root.close();
        }
    }

    /** Opens a path; {@code flags} as open(2) has them. */
    Fd open(byte[] path, long flags, int mode) throws LinuxException {
        byte[] relative = relative(path);
        if ((flags & O_CREAT) != 0) {
            return use(fd -> asOwner(() -> At.open(fd, relative, flags, mode, IN_ROOT)));
        }
        return use(fd -> At.open(fd, relative, flags, mode, IN_ROOT));
    }

    /** {@return where files of this tree are found and made} */
    TreeChannels.Files files() {
        return new TreeChannels.Files() {
            @Override
            public Fd open(byte[] path, long flags) throws LinuxException {
                return SafeTree.this.open(path, flags, 0);
            }

            @Override
            public Place place(byte[] path) throws LinuxException {
                return SafeTree.this.place(path);
            }

            @Override
            public Fd asOwner(Identity.Work<Fd> work) throws LinuxException {
                return SafeTree.this.asOwner(work);
            }
        };
    }

    /** Does what makes or renames files, as their owner to be. */
    <T> T asOwner(Identity.Work<T> work) throws LinuxException {
        return owner.isEmpty()
                ? work.run()
                : Identity.as(owner.get().uid(), owner.get().gid(), work);
    }

    /** {@return an O_PATH descriptor of what a path leads to, or of the link that its last name is} */
    Fd find(byte[] path, boolean follow) throws LinuxException {
        return open(path, follow ? O_PATH : O_PATH | O_NOFOLLOW, 0);
    }

    /** {@return a directory, open for listing} */
    Fd list(byte[] path, boolean follow) throws LinuxException {
        return open(path, follow ? O_DIRECTORY : O_DIRECTORY | O_NOFOLLOW, 0);
    }

    /**
     * A name in a directory, for calls that make, replace or remove it.
     *
     * @param directory an O_PATH descriptor, closed with this
     */
    record Place(Fd directory, byte[] name) implements AutoCloseable {
        @Override
        public void close() {
            directory.close();
        }
    }

    /**
     * {@return where the last name of a path is}
     *
     * @throws LinuxException EINVAL if that is nothing, "." or "..", which cannot be made or removed
     */
    Place place(byte[] path) throws LinuxException {
        int slash = path.length;
        while (slash > 0 && path[slash - 1] != '/') {
            slash--;
        }
        byte[] name = Arrays.copyOfRange(path, slash, path.length);
        if (name.length == 0 || isDots(name)) {
            throw new LinuxException(Errno.EINVAL, "find the parent of " + Arg.quote(path));
        }
        byte[] parent = Arrays.copyOf(path, slash);
        return new Place(open(parent, O_PATH | O_DIRECTORY, 0), name);
    }

    static boolean isDots(byte[] name) {
        return name.length == 1 && name[0] == '.' || name.length == 2 && name[0] == '.' && name[1] == '.';
    }

    /** The root is the start of both absolute and relative paths. */
    private static byte[] relative(byte[] path) {
        int start = 0;
        while (start < path.length && path[start] == '/') {
            start++;
        }
        return Arrays.copyOfRange(path, start, path.length);
    }
}

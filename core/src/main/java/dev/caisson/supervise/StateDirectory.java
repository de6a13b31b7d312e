// SPDX-License-Identifier: Apache-2.0
package dev.caisson.supervise;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileData;
import dev.caisson.linux.sys.FileStatus;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Native;
import dev.caisson.overlay.store.Removal;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;

/**
 * Where this user's detached containers are on disk: a directory for each, by its name.
 *
 * <pre>
 *   db/lock      locked by the supervisor as long as it lives: who gets the lock knows that there is none
 *   db/record    what was known at the start        written once, before anybody sees the directory
 *   db/status    what happened since                replaced by the supervisor: write, fsync, rename, fsync of the directory
 *   db/socket    where the supervisor answers
 *   db/log, ...  what the container wrote, unless it writes elsewhere; db/upper, db/work: its writable layer, if it restarts
 *   .new-...     a directory that is being made, and locked, before it gets its name by rename(2), which only one JVM can
 * </pre>
 */
public final class StateDirectory {
    /** Overrides the place, for tests and for those who keep several apart. */
    public static final String PROPERTY = "caisson.state";

    static final String LOCK = "lock";
    /** The name of the socket in a container's directory. */
    public static final String SOCKET = "socket";

    private static final String NEW = ".new-";
    private static final String GONE = ".gone-";

    private static final int FEW_ATTEMPTS = 5;
    private static final int MOST_ATTEMPTS = 1000;
    private static final long PAUSE_NANOS = 5_000_000;

    private final Path root;

    private StateDirectory(Path root) {
        this.root = root;
    }

    /**
     * {@return this user's} By the system property {@code caisson.state}; else {@code /run/caisson} for root, and for others
     * {@code $XDG_RUNTIME_DIR/caisson}, or {@code /tmp/caisson-UID} where there is no such directory. It is made if it is
     * missing, for this user alone.
     *
     * @throws IOException if it cannot be made, or somebody else could change it
     */
    public static StateDirectory ofThisUser() throws IOException {
        Path path = path();
        try {
            if (!java.nio.file.Files.isDirectory(path)) {
                var above = path.getParent();
                if (above != null) {
                    java.nio.file.Files.createDirectories(above);
                }
                java.nio.file.Files.createDirectory(
                        path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            }
        } catch (FileAlreadyExistsException madeMeanwhile) {
            // By another JVM; it is looked at as any other.
        }
        try (var directory = Files.open(HostPath.of(path), OpenFlags.O_DIRECTORY | OpenFlags.O_NOFOLLOW, 0)) {
            var status = FileStatus.of(directory);
            if (status.uid() != effectiveUid() || (status.mode() & 022) != 0) {
                throw new IOException("state directory: " + path + " belongs to user " + status.uid() + ", mode "
                        + Integer.toOctalString(status.mode() & 07777)
                        + "; it must be this user's, and nobody else may write in it: remove it, or name another one by"
                        + " the system property " + PROPERTY);
            }
        }
        return new StateDirectory(path);
    }

    private static Path path() {
        String given = System.getProperty(PROPERTY);
        if (given != null) {
            return Path.of(given).toAbsolutePath();
        }
        if (effectiveUid() == 0) {
            return Path.of("/run/caisson");
        }
        String runtime = System.getenv("XDG_RUNTIME_DIR");
        return runtime != null && java.nio.file.Files.isDirectory(Path.of(runtime))
                ? Path.of(runtime, "caisson")
                : Path.of("/tmp/caisson-" + effectiveUid());
    }

    private static long effectiveUid() {
        return Native.call(Syscall.GETEUID, 0, 0, 0);
    }

    /** {@return the boot of this machine, by which pids have their meaning} */
    public static String boot() throws IOException {
        return java.nio.file.Files.readString(Path.of("/proc/sys/kernel/random/boot_id"))
                .strip();
    }

    /**
     * A name that is this JVM's to use.
     *
     * @param lock to be handed to the supervisor
     */
    public record Claim(Path path, Fd directory, Fd lock) implements AutoCloseable {
        /** Takes back the claim, with all that is in the directory. */
        public void abandon() throws IOException {
            close();
            removeTree(path);
        }

        /** Lets go of it here; whoever else holds the lock keeps it. */
        @Override
        public void close() {
            lock.close();
            directory.close();
        }
    }

    /** {@return where a container of some name has, or would have, its state} */
    public Path path(String name) {
        return root.resolve(name);
    }

    /**
     * {@return a new directory that nobody sees under its name yet} To be given its name by {@link #publish}.
     */
    public Claim prepare() throws IOException {
        sweep();
        Path made = root.resolve(NEW + UUID.randomUUID());
        java.nio.file.Files.createDirectory(
                made, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        var directory = Files.open(HostPath.of(made), OpenFlags.O_DIRECTORY, 0);
        try {
            var lock = Files.open(HostPath.of(made.resolve(LOCK)), OpenFlags.O_RDWR | OpenFlags.O_CREAT, 0600);
            FileData.lock(lock, FileData.Lock.EXCLUSIVE);
            return new Claim(made, directory, lock);
        } catch (IOException | RuntimeException | Error failed) {
            directory.close();
            throw failed;
        }
    }

    /**
     * Gives a prepared directory its name.
     *
     * @return the claim, under its name
     * @throws FileAlreadyExistsException if there is one of that name
     */
    public Claim publish(Claim claim, ContainerRecord record) throws IOException {
        writeDurably(claim.path().resolve(ContainerRecord.FILE), record.encode());
        Path target = path(record.name());
        while (true) {
            try (var above = Files.open(HostPath.of(root), OpenFlags.O_DIRECTORY, 0)) {
                // A directory takes the place of an empty one only, and ours never are.
                At.rename(above, name(claim.path()), above, name(target), 0);
                FileData.sync(above);
                return new Claim(target, claim.directory(), claim.lock());
            } catch (LinuxException refused) {
                if (!refused.errno().equals(Errno.ENOTEMPTY) && !refused.errno().equals(Errno.EEXIST)) {
                    throw refused;
                }
                if (!removeIfNeverStarted(record.name()) && java.nio.file.Files.exists(target)) {
                    throw taken(record.name(), refused);
                }
            }
        }
    }

    private static byte[] name(Path path) {
        return FileNames.encode(HostPath.of(path.getFileName()));
    }

    private FileAlreadyExistsException taken(String name, IOException cause) {
        var taken = new FileAlreadyExistsException(
                path(name).toString(),
                null,
                "there is a container of the name \"" + name + "\"; choose another, or remove it: Containers.remove");
        taken.initCause(cause);
        return taken;
    }

    private static void writeDurably(Path file, byte[] content) throws IOException {
        Path next = file.resolveSibling(file.getFileName() + ".new");
        java.nio.file.Files.write(next, content);
        sync(next);
        java.nio.file.Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
        sync(file.resolveSibling("."));
    }

    private static void sync(Path path) throws IOException {
        try (var fd = Files.open(HostPath.of(path), OpenFlags.O_RDONLY, 0)) {
            FileData.sync(fd);
        }
    }

    /** {@return the names of all containers there are, in order} */
    public List<String> names() throws IOException {
        var names = new ArrayList<String>();
        try (var entries = java.nio.file.Files.newDirectoryStream(root)) {
            for (Path entry : entries) {
                String name = entry.getFileName().toString();
                // A file that somebody put there is nobody's container.
                if (!name.startsWith(".") && java.nio.file.Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
                    names.add(name);
                }
            }
        }
        names.sort(null);
        return names;
    }

    /**
     * What is known of a container.
     *
     * @param status empty until it is started
     * @param supervised whether its supervisor lives
     */
    public record Known(Path path, ContainerRecord record, Optional<Status> status, boolean supervised) {
        /** {@return whether a JVM ended while it started it} Nothing of it is left but its directory. */
        boolean neverStarted() {
            return status.isEmpty() && !supervised;
        }
    }

    /** {@return what is known of a container; empty if there is none of that name, or its record cannot be read} */
    public Optional<Known> find(String name) throws IOException {
        Path path = path(name);
        try {
            // The lock first: what it says ended has written all it had to.
            boolean supervised = isLocked(path.resolve(LOCK));
            var record = ContainerRecord.read(path);
            var status = status(path);
            return record.map(r -> new Known(path, r, status, supervised)).filter(known -> !known.neverStarted());
        } catch (NoSuchFileException none) {
            return Optional.empty();
        } catch (LinuxException none) {
            if (none.errno().equals(Errno.ENOENT)) {
                return Optional.empty();
            }
            throw none;
        }
    }

    /** {@return what its supervisor recorded last} */
    public static Optional<Status> status(Path path) throws IOException {
        try {
            return Status.parse(java.nio.file.Files.readAllBytes(path.resolve(Status.FILE)));
        } catch (NoSuchFileException notYet) {
            return Optional.empty();
        }
    }

    /** Shared locks do not hinder each other, so that many may ask at once. */
    private static boolean isLocked(Path lock) throws LinuxException {
        try (var fd = Files.open(HostPath.of(lock), OpenFlags.O_RDONLY, 0)) {
            return !FileData.tryLock(fd, FileData.Lock.SHARED);
        }
    }

    /**
     * Removes what is left of a container that has ended: its directory, with its log and its writable layer there.
     *
     * @param removal removes a tree whose files may belong to ids of a user namespace
     * @return false if there is none
     * @throws IllegalStateException if it runs
     */
    public boolean remove(String name, Removal removal) throws IOException {
        return remove(name, removal, false);
    }

    private boolean remove(String name, Removal removal, boolean ifNeverStarted) throws IOException {
        Path path = path(name);
        try (var lock = Files.open(HostPath.of(path.resolve(LOCK)), OpenFlags.O_RDWR, 0)) {
            if (!lockWhenEnded(lock, path)) {
                if (find(name).isPresent()) {
                    throw new IllegalStateException("remove: the container \"" + name + "\" runs; stop it first");
                }
                return false;
            }
            if (!isStill(lock, path) || ifNeverStarted && status(path).isPresent()) {
                return false; // Somebody else has removed it, and the name may be another's by now.
            }
            removeCgroup(path);
            Path gone = root.resolve(GONE + UUID.randomUUID());
            java.nio.file.Files.move(path, gone, StandardCopyOption.ATOMIC_MOVE);
            removal.remove(gone);
            return true;
        } catch (NoSuchFileException none) {
            return false;
        } catch (LinuxException none) {
            if (none.errno().equals(Errno.ENOENT)) {
                return false;
            }
            throw none;
        }
    }

    /** Whoever holds the lock of a directory is the only one who may move it: as long as it is there, it stays. */
    private static boolean isStill(Fd lock, Path path) throws LinuxException {
        var locked = FileStatus.of(lock);
        return FileStatus.of(HostPath.of(path.resolve(LOCK)))
                .filter(locked::isSameFile)
                .isPresent();
    }

    /** A supervisor that has recorded the end is about to go, and who asks for the state holds the lock for a moment. */
    private static boolean lockWhenEnded(Fd lock, Path path) throws IOException {
        for (int attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
            if (FileData.tryLock(lock, FileData.Lock.EXCLUSIVE)) {
                return true;
            }
            boolean ends =
                    status(path).filter(s -> s.state() == Status.State.EXITED).isPresent();
            if (!ends && attempt > FEW_ATTEMPTS) {
                return false;
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        return false;
    }

    /** That of one whose supervisor, or whose JVM during the start, was killed. */
    private static void removeCgroup(Path path) throws IOException {
        var record = ContainerRecord.read(path);
        if (record.isEmpty()) {
            return;
        }
        var cgroup = record.get().openCgroup();
        if (cgroup.isPresent()) {
            cgroup.get().close();
        }
    }

    /**
     * Removes what a JVM left that was killed while it started a container, if that is so.
     *
     * @return whether it was
     */
    public boolean removeIfNeverStarted(String name) throws IOException {
        Path path = path(name);
        if (status(path).isPresent()) {
            return false;
        }
        try {
            return remove(name, Removal.here(), true);
        } catch (IllegalStateException isBeingStarted) {
            return false;
        }
    }

    /** Removes what JVMs left that were killed while they made or removed something. */
    private void sweep() throws IOException {
        try (var entries = java.nio.file.Files.newDirectoryStream(root, ".{new,gone}-*")) {
            for (Path entry : entries) {
                try {
                    if (!isLocked(entry.resolve(LOCK)) && isOld(entry)) {
                        removeTree(entry);
                    }
                } catch (IOException othersDoThat) {
                    // Nothing depends on it.
                }
            }
        }
    }

    /** Between its making and its lock passes a moment. */
    private static boolean isOld(Path entry) throws IOException {
        return java.nio.file.Files.getLastModifiedTime(entry).toMillis() < System.currentTimeMillis() - 60_000;
    }

    static void removeTree(Path directory) throws IOException {
        Removal.here().remove(directory);
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v1;

import dev.caisson.cgroups.file.ControlFile;
import dev.caisson.cgroups.file.Driver;
import dev.caisson.cgroups.file.Refusal;
import dev.caisson.cgroups.file.Write;
import dev.caisson.cgroups.file.Writing;
import dev.caisson.cgroups.hierarchy.Hierarchy;
import dev.caisson.cgroups.process.Removal;
import dev.caisson.cgroups.process.Tasks;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.HostPath;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** A cgroup in one or more hierarchies of version 1, of the same name in each. */
public final class V1Driver implements Driver {
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final long PAUSE_NANOS = 500_000;
    private static final int PAUSES_BEFORE_ASKING_AGAIN = 20;

    private final SequencedMap<Hierarchy, Path> directories;

    public V1Driver(SequencedMap<Hierarchy, Path> directories) {
        this.directories = new LinkedHashMap<>(directories);
    }

    /** Gives a new cpuset the parent's processors and memory nodes: it has none, and no task may enter before it has. */
    public static void inheritCpuset(Path directory) throws LinuxException {
        Path parent = Objects.requireNonNull(directory.getParent());
        for (String what : List.of("cpus", "mems")) {
            Path file = directory.resolve("cpuset." + what);
            if (ControlFile.read(file).isEmpty()) {
                ControlFile.write(file, ControlFile.read(parent.resolve("cpuset.effective_" + what)));
            }
        }
    }

    @Override
    public List<Path> directories() {
        return List.copyOf(directories.values());
    }

    @Override
    public Optional<Path> directory(String controller) {
        for (var directory : directories.entrySet()) {
            if (directory.getKey().controllers().contains(controller)) {
                return Optional.of(directory.getValue());
            }
        }
        return Optional.empty();
    }

    @Override
    public void write(List<Write> writes, Writing writing) throws IOException {
        writing.all(writes, this::directory);
    }

    private Path directory(Write write) {
        return directory(write.controller())
                .orElseThrow(() -> new IllegalStateException("no directory for " + write.controller() + " was made"));
    }

    @Override
    public void move(int pid) throws IOException {
        for (Path directory : directories.values()) {
            try {
                ControlFile.write(directory.resolve("cgroup.procs"), Integer.toString(pid));
            } catch (LinuxException refused) {
                throw Refusal.ofMove(directory, refused);
            }
        }
    }

    /** Moves one thread: every cgroup of version 1 takes single threads, but for the memory controller's sake. */
    public void moveThread(int tid) throws IOException {
        for (Path directory : directories.values()) {
            try {
                ControlFile.write(directory.resolve("tasks"), Integer.toString(tid));
            } catch (LinuxException refused) {
                throw Refusal.ofMove(directory, refused);
            }
        }
    }

    @Override
    public void freeze(boolean frozen) throws IOException {
        Path freezer = freezer();
        if (freezer == null) {
            throw new CgroupException(
                    Reason.MISSING_CONTROLLER,
                    "freeze",
                    "this host has version 1 cgroups without the freezer controller; mount it, or boot with version 2",
                    null);
        }
        if (!frozen) {
            state(freezer, "THAWED");
            return;
        }
        long end = System.nanoTime() + PATIENCE.toNanos();
        for (int pauses = 0; ; pauses++) {
            if (pauses % PAUSES_BEFORE_ASKING_AGAIN == 0) {
                // A task that forked meanwhile may have slipped out; asking again takes it too.
                state(freezer, "FROZEN");
            }
            if (ControlFile.read(freezer.resolve("freezer.state")).equals("FROZEN")) {
                return;
            }
            if (System.nanoTime() > end) {
                state(freezer, "THAWED");
                throw new CgroupException(
                        Reason.BUSY,
                        "freeze",
                        HostPath.shown(freezer) + " did not stand still within " + PATIENCE.toSeconds()
                                + " s, and goes on; a process"
                                + " in it sleeps in the kernel where it cannot be stopped (state D in ps)",
                        null);
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    private static void state(Path freezer, String state) throws CgroupException {
        Writing.of(new Write("freeze", "freezer", "freezer.state", state), freezer);
    }

    private @Nullable Path freezer() {
        return directory("freezer").orElse(null);
    }

    @Override
    public void kill() throws IOException {
        // Frozen, so that nothing forks while it is gone through; SIGKILL takes effect at the thaw.
        boolean frozen = false;
        if (freezer() != null && !Tasks.of(freezer()).isEmpty()) {
            try {
                freeze(true);
                frozen = true;
            } catch (CgroupException stuck) {
                // What cannot be frozen is killed as it is; Removal repeats it.
            }
        }
        try {
            for (Path directory : directories.values()) {
                var _ = Tasks.kill(directory);
            }
        } finally {
            if (freezer() != null && (frozen || java.nio.file.Files.isDirectory(freezer()))) {
                state(freezer(), "THAWED");
            }
        }
    }

    @Override
    public void remove() throws IOException {
        @Nullable IOException first = null;
        for (Path directory : directories.values()) {
            try {
                Removal.of(directory, this::killLeftovers);
            } catch (IOException failed) {
                first = first == null ? failed : first;
            }
        }
        if (first != null) {
            throw first;
        }
    }

    /** Kills while some of the directories may be gone already. */
    private void killLeftovers() throws IOException {
        if (freezer() != null && java.nio.file.Files.isDirectory(freezer())) {
            kill();
            return;
        }
        for (Path directory : directories.values()) {
            var _ = Tasks.kill(directory);
        }
    }

    @Override
    public String toString() {
        return directories.values().toString();
    }
}

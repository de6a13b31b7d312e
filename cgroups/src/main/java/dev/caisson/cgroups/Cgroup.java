// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import dev.caisson.cgroups.file.CgroupMounts;
import dev.caisson.cgroups.file.Write;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.spec.Usage;
import dev.caisson.cgroups.v1.V1Writes;
import dev.caisson.cgroups.v2.V2Writes;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Signal;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Processes;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.SequencedMap;
import java.util.Set;

/**
 * A cgroup of our own with limits, in as many hierarchies as the limits need: one of version 2, one per controller of
 * version 1. It is removed, with all that runs in it, when it is closed. Thread-safe.
 */
@SuppressWarnings("exports") // Descriptors and mounts are for our own modules only.
public final class Cgroup implements AutoCloseable {
    private static final int O_WRONLY = 1;
    private static final int O_DIRECTORY = 0x10000;
    private static final int REMOVAL_TRIES = 200;
    private static final int PAUSE_MILLIS = 5;

    private final CgroupMounts mounts;
    private final SequencedMap<String, Path> directories;

    private Cgroup(CgroupMounts mounts, SequencedMap<String, Path> directories) {
        this.mounts = mounts;
        this.directories = directories;
    }

    /**
     * {@return what making a cgroup with these limits would write}
     *
     * @throws IOException if a limit cannot be enforced on this machine; it says which and why
     */
    public static List<Write> plan(CgroupMounts mounts, Limits limits) throws IOException {
        var writes = new ArrayList<Write>();
        for (var write : V2Writes.of(limits)) {
            if (mounts.isUnified(write.controller())) {
                writes.add(write);
            } else if (!mounts.legacy().containsKey(write.controller())) {
                throw new IOException(write.option() + ": this machine has no " + write.controller()
                        + " controller, neither in cgroup version 2 nor in version 1; see /proc/cgroups");
            }
        }
        try {
            for (var write : V1Writes.of(legacyPart(mounts, limits))) {
                writes.add(write);
            }
        } catch (UnsupportedOperationException unsupported) {
            throw new IOException(unsupported.getMessage(), unsupported);
        }
        return writes;
    }

    private static Limits legacyPart(CgroupMounts mounts, Limits limits) {
        boolean memory = mounts.isUnified("memory");
        boolean cpu = mounts.isUnified("cpu");
        return new Limits(
                memory ? OptionalLong.empty() : limits.memoryMax(),
                memory ? OptionalLong.empty() : limits.memoryHigh(),
                memory ? OptionalLong.empty() : limits.swapMax(),
                cpu ? OptionalDouble.empty() : limits.cpus(),
                cpu ? OptionalInt.empty() : limits.cpuWeight(),
                mounts.isUnified("pids") ? OptionalLong.empty() : limits.pidsMax());
    }

    /**
     * Makes a cgroup below the root of each hierarchy it needs, or, for an ordinary user, below the cgroup delegated to it.
     *
     * @param name unique on this machine, a single path element
     * @throws IOException if it cannot be made or a limit not be set; then nothing is left of it
     */
    public static Cgroup create(CgroupMounts mounts, String name, Limits limits) throws IOException {
        if (name.isEmpty() || name.contains("/") || name.startsWith(".")) {
            throw new IllegalArgumentException("cgroup: \"" + name + "\" is not a single path element");
        }
        var writes = plan(mounts, limits);
        var cgroup = new Cgroup(mounts, new LinkedHashMap<>());
        try {
            cgroup.make(name, writes);
            for (var write : writes) {
                cgroup.write(write);
            }
            return cgroup;
        } catch (IOException | RuntimeException failed) {
            try {
                cgroup.close();
            } catch (IOException alsoFailed) {
                failed.addSuppressed(alsoFailed);
            }
            throw failed;
        }
    }

    private void make(String name, List<Write> writes) throws IOException {
        var controllers = new LinkedHashSet<String>();
        writes.forEach(w -> controllers.add(w.controller()));
        if (mounts.unified().isPresent()) {
            Path parent = unifiedParent();
            Set<String> unified = new LinkedHashSet<>(controllers);
            unified.retainAll(mounts.unifiedControllers());
            enable(parent, unified);
            if (!unified.isEmpty() || Files.isWritable(parent)) {
                makeDirectory("", parent.resolve(name));
            }
        }
        for (String controller : controllers) {
            if (!mounts.isUnified(controller)) {
                Path hierarchy = Objects.requireNonNull(mounts.legacy().get(controller), controller);
                makeDirectory(controller, hierarchy.resolve(name));
            }
        }
    }

    private Path unifiedParent() throws IOException {
        Path root = mounts.unified().orElseThrow();
        if (Files.isWritable(root)) {
            return root;
        }
        for (String line : Files.readAllLines(Path.of("/proc/self/cgroup"))) {
            if (line.startsWith("0::/")) {
                return root.resolve(line.substring("0::/".length()));
            }
        }
        return root;
    }

    private static void enable(Path parent, Set<String> controllers) throws IOException {
        Path file = parent.resolve("cgroup.subtree_control");
        var missing = new LinkedHashSet<>(controllers);
        if (!controllers.isEmpty()) {
            missing.removeAll(List.of(Files.readString(file).strip().split("\\s+")));
        }
        for (String controller : missing) {
            try {
                Files.writeString(file, "+" + controller);
            } catch (IOException refused) {
                throw new IOException(
                        "cgroup: the controller " + controller + " cannot be enabled below " + parent
                                + " (a cgroup with processes of its own cannot have controllers for its children,"
                                + " and an ordinary user needs a delegated one): " + refused.getMessage(),
                        refused);
            }
        }
    }

    private void makeDirectory(String controller, Path directory) throws IOException {
        try {
            Files.createDirectory(directory);
        } catch (AccessDeniedException denied) {
            throw new IOException(
                    "cgroup: " + directory.getParent() + " does not belong to this user; limits need root, or a cgroup"
                            + " delegated by systemd (systemd-run --user --scope -p Delegate=yes)",
                    denied);
        }
        directories.put(controller, directory);
    }

    private void write(Write write) throws IOException {
        Path file = directory(write.controller()).resolve(write.file());
        try {
            Files.writeString(file, write.value());
        } catch (NoSuchFileException missing) {
            throw new IOException(
                    write.option() + ": " + file + " does not exist; the kernel is built or booted without it"
                            + " (swap limits of version 1 need swapaccount=1)",
                    missing);
        } catch (FileSystemException refused) {
            throw new IOException(
                    write.option() + ": writing \"" + write.value() + "\" to " + file + " was refused: "
                            + refused.getReason(),
                    refused);
        }
    }

    private Path directory(String controller) {
        Path directory = directories.get(mounts.isUnified(controller) ? "" : controller);
        if (directory == null) {
            throw new IllegalStateException("no " + controller + " directory was made");
        }
        return directory;
    }

    /** {@return the directories of this cgroup, one per hierarchy} */
    public List<Path> directories() {
        return List.copyOf(directories.values());
    }

    /** {@return a descriptor for CLONE_INTO_CGROUP, if the unified hierarchy takes part; the caller closes it} */
    public Optional<Fd> openUnified() throws LinuxException {
        Path unified = directories.get("");
        return unified == null
                ? Optional.empty()
                : Optional.of(dev.caisson.linux.sys.Files.open(unified.toString(), O_DIRECTORY, 0));
    }

    /** {@return the {@code cgroup.procs} files by which a child enters the version 1 hierarchies; the caller closes them} */
    public Map<String, Fd> openLegacy() throws LinuxException {
        var files = new LinkedHashMap<String, Fd>();
        try {
            for (var entry : directories.entrySet()) {
                if (!entry.getKey().isEmpty()) {
                    String file = entry.getValue().resolve("cgroup.procs").toString();
                    files.put(entry.getKey(), dev.caisson.linux.sys.Files.open(file, O_WRONLY, 0));
                }
            }
            return files;
        } catch (LinuxException failed) {
            files.values().forEach(Fd::close);
            throw failed;
        }
    }

    /** {@return whether the out-of-memory killer took a process of this cgroup} */
    public boolean outOfMemory() throws IOException {
        if (mounts.isUnified("memory")) {
            Path unified = directories.get("");
            return unified != null && keyed(unified.resolve("memory.events"), "oom_kill") > 0;
        }
        Path memory = directories.get("memory");
        return memory != null && keyed(memory.resolve("memory.oom_control"), "oom_kill") > 0;
    }

    private static long keyed(Path file, String key) throws IOException {
        for (String line : Files.readAllLines(file)) {
            if (line.startsWith(key + " ")) {
                return Long.parseLong(line.substring(key.length() + 1).strip());
            }
        }
        return 0;
    }

    /** {@return what is used now} */
    public Usage usage() throws IOException {
        Path unified = directories.get("");
        Optional<Duration> cpu = Optional.empty();
        if (unified != null && Files.exists(unified.resolve("cpu.stat"))) {
            cpu = Optional.of(Duration.ofNanos(1000 * keyed(unified.resolve("cpu.stat"), "usage_usec")));
        }
        if (mounts.isUnified("memory") && unified != null) {
            return new Usage(
                    cpu,
                    number(unified.resolve("memory.current")),
                    number(unified.resolve("memory.peak")),
                    number(unified.resolve("pids.current")));
        }
        Path memory = directories.get("memory");
        Path pids = directories.get("pids");
        return new Usage(
                cpu,
                memory == null ? OptionalLong.empty() : number(memory.resolve("memory.usage_in_bytes")),
                memory == null ? OptionalLong.empty() : number(memory.resolve("memory.max_usage_in_bytes")),
                pids == null ? OptionalLong.empty() : number(pids.resolve("pids.current")));
    }

    private static OptionalLong number(Path file) throws IOException {
        return Files.exists(file)
                ? OptionalLong.of(Long.parseLong(Files.readString(file).strip()))
                : OptionalLong.empty();
    }

    /** Kills every process in it, at once where the kernel can (cgroup.kill, Linux 5.14). */
    public void kill() throws IOException {
        Path unified = directories.get("");
        if (unified != null && Files.exists(unified.resolve("cgroup.kill"))) {
            Files.writeString(unified.resolve("cgroup.kill"), "1");
            return;
        }
        for (Path directory : directories.values()) {
            for (String pid : Files.readAllLines(directory.resolve("cgroup.procs"))) {
                try (var process = Processes.open(Integer.parseInt(pid))) {
                    var _ = Processes.signal(process, Signal.SIGKILL);
                } catch (LinuxException gone) {
                    // It ended between the two calls, which is what is wanted.
                }
            }
        }
    }

    /**
     * Kills what is left and removes the cgroup. Idempotent.
     *
     * @throws IOException if a directory is still busy after a second
     */
    @Override
    public void close() throws IOException {
        for (int tries = 1; !directories.isEmpty(); tries++) {
            directories.values().removeIf(directory -> directory.toFile().delete() || !Files.exists(directory));
            if (directories.isEmpty()) {
                return;
            }
            if (tries == REMOVAL_TRIES) {
                throw new IOException(
                        "cgroup: " + directories.values() + " cannot be removed, processes of it still end");
            }
            kill();
            try {
                Thread.sleep(PAUSE_MILLIS);
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while removing " + directories.values());
            }
        }
    }

    @Override
    public String toString() {
        return "Cgroup" + directories.values();
    }
}

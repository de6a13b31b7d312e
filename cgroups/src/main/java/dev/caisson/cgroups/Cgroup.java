// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import dev.caisson.cgroups.CgroupPlan.Unenforced;
import dev.caisson.cgroups.file.CgroupMounts;
import dev.caisson.cgroups.file.ControlFile;
import dev.caisson.cgroups.file.Driver;
import dev.caisson.cgroups.file.Hierarchy;
import dev.caisson.cgroups.file.Placement;
import dev.caisson.cgroups.file.Processors;
import dev.caisson.cgroups.file.Refusal;
import dev.caisson.cgroups.file.Tasks;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.spec.Usage;
import dev.caisson.cgroups.v1.V1Driver;
import dev.caisson.cgroups.v2.Subtree;
import dev.caisson.cgroups.v2.V2Driver;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.sys.Fd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A cgroup of our own with limits, in as many hierarchies as the limits need: one of version 2, one per controller of
 * version 1. It is removed, with all that runs in it, when it is closed. This JVM never enters it. Thread-safe.
 */
@SuppressWarnings("exports") // Descriptors and mounts are for our own modules only.
public final class Cgroup implements AutoCloseable {
    private final CgroupMounts mounts;
    private final String name;
    private final @Nullable V2Driver unified;
    private @Nullable V1Driver legacy;
    private final List<Unenforced> unenforced;
    private Limits limits;
    private boolean closed;

    private Cgroup(
            CgroupMounts mounts,
            String name,
            @Nullable V2Driver unified,
            @Nullable V1Driver legacy,
            Limits limits,
            List<Unenforced> unenforced) {
        this.mounts = mounts;
        this.name = name;
        this.unified = unified;
        this.legacy = legacy;
        this.limits = limits;
        this.unenforced = List.copyOf(unenforced);
    }

    /** {@return a cgroup to be, where this process may make one} */
    public static CgroupBuilder builder() {
        return CgroupBuilder.of(null);
    }

    /** {@return a cgroup to be, in hierarchies that are known already} */
    public static CgroupBuilder builder(CgroupMounts mounts) {
        return CgroupBuilder.of(mounts);
    }

    static Cgroup create(CgroupBuilder.Site site, String name, Limits limits, boolean evacuate) throws IOException {
        var mounts = site.mounts();
        var division = site.division();
        @Nullable V2Driver unified = null;
        var made = new LinkedHashMap<Hierarchy, Path>();
        try {
            if (site.unifiedParent() != null) {
                Path top = mounts.unified().orElseThrow();
                Subtree.enable(top, site.unifiedParent(), division.unifiedControllers(), evacuate);
                Path directory = site.unifiedParent().resolve(name);
                make(directory);
                unified = new V2Driver(directory, mounts.unifiedControllers());
                unified.write(division.unified());
                if (division.devices().isPresent()) {
                    unified.restrict(division.devices().get());
                }
            }
            makeLegacy(site.legacyParents(), name, made);
            @Nullable V1Driver legacy = made.isEmpty() ? null : new V1Driver(made);
            if (legacy != null) {
                legacy.write(division.legacy());
            }
            return new Cgroup(mounts, name, unified, legacy, limits, division.unenforced());
        } catch (IOException | RuntimeException failed) {
            undo(failed, unified, made);
            throw failed;
        }
    }

    private static void undo(Exception failed, @Nullable V2Driver unified, SequencedMap<Hierarchy, Path> made) {
        try (var _ = new Cgroup(
                new CgroupMounts(List.of(), Map.of()),
                "",
                unified,
                made.isEmpty() ? null : new V1Driver(made),
                Limits.none(),
                List.of())) {
            // Closing removes what there is.
        } catch (IOException alsoFailed) {
            failed.addSuppressed(alsoFailed);
        }
    }

    private static void makeLegacy(Map<Hierarchy, Path> parents, String name, SequencedMap<Hierarchy, Path> made)
            throws IOException {
        for (var entry : parents.entrySet()) {
            Path directory = entry.getValue().resolve(name);
            make(directory);
            made.put(entry.getKey(), directory);
            if (entry.getKey().controllers().contains("cpuset")) {
                V1Driver.inheritCpuset(directory);
            }
        }
    }

    private static void make(Path directory) throws CgroupException {
        try {
            ControlFile.makeDirectory(directory);
        } catch (LinuxException refused) {
            throw Refusal.ofMake(directory, refused);
        }
    }

    /**
     * {@return a cgroup that exists already, in all hierarchies that have it}
     *
     * @param parent the path it was made below, if that was not the default
     * @throws CgroupException if no hierarchy has it
     */
    public static Cgroup open(CgroupMounts mounts, Optional<String> parent, String name) throws IOException {
        var _ = Placement.checkedName(name);
        @Nullable V2Driver unified = null;
        var legacy = new LinkedHashMap<Hierarchy, Path>();
        for (var hierarchy : mounts.hierarchies()) {
            Optional<Path> directory = existing(mounts, hierarchy, parent, name);
            if (directory.isPresent()) {
                if (hierarchy.unified()) {
                    unified = new V2Driver(directory.get(), hierarchy.controllers());
                } else {
                    legacy.put(hierarchy, directory.get());
                }
            }
        }
        if (unified == null && legacy.isEmpty()) {
            throw new CgroupException(Reason.VANISHED, "cgroup", "there is no \"" + name + "\" any more", null);
        }
        return new Cgroup(
                mounts, name, unified, legacy.isEmpty() ? null : new V1Driver(legacy), Limits.none(), List.of());
    }

    private static Optional<Path> existing(
            CgroupMounts mounts, Hierarchy hierarchy, Optional<String> parent, String name) {
        try {
            return Optional.of(Placement.parent(mounts, hierarchy, parent).resolve(name))
                    .filter(Files::isDirectory);
        } catch (CgroupException notOurs) {
            return Optional.empty();
        }
    }

    /**
     * Removes what JVMs that ended without warning left behind: cgroups whose name tells a process of this PID namespace that
     * runs no more, and all that runs in them.
     *
     * @return the names of the cgroups
     */
    public static List<String> removeLeftovers() throws IOException {
        return Leftovers.remove(CgroupMounts.ofThisProcess(), Optional.empty());
    }

    /** Removes what JVMs that ended without warning left behind in hierarchies, below a parent if one is given. */
    public static List<String> removeLeftovers(CgroupMounts mounts, Optional<String> parent) throws IOException {
        return Leftovers.remove(mounts, parent);
    }

    /** {@return its name, the same in all hierarchies} */
    public String name() {
        return name;
    }

    /** {@return the limits that hold} */
    public synchronized Limits limits() {
        return limits;
    }

    /** {@return limits that are not enforced; empty unless best effort was asked for} */
    public List<Unenforced> unenforced() {
        return unenforced;
    }

    /** {@return the directories of this cgroup, one per hierarchy} */
    public List<Path> directories() {
        return drivers().stream().flatMap(d -> d.directories().stream()).toList();
    }

    /** {@return the directory with a controller's files; that of version 2 under the empty name} */
    public Optional<Path> directory(String controller) {
        for (var driver : drivers()) {
            var directory = driver.directory(controller);
            if (directory.isPresent()) {
                return directory;
            }
        }
        return Optional.empty();
    }

    private synchronized List<Driver> drivers() {
        var drivers = new ArrayList<Driver>();
        if (unified != null) {
            drivers.add(unified);
        }
        if (legacy != null) {
            drivers.add(legacy);
        }
        return drivers;
    }

    /** {@return a descriptor for CLONE_INTO_CGROUP, if the unified hierarchy takes part; the caller closes it} */
    public Optional<Fd> openUnified() throws LinuxException {
        return unified == null ? Optional.empty() : Optional.of(unified.open());
    }

    /** {@return the files by which a child with one thread enters the version 1 hierarchies; the caller closes them} */
    public synchronized Map<String, Fd> openLegacy() throws LinuxException {
        return legacy == null ? Map.of() : legacy.openEntries();
    }

    /**
     * Moves a running process here, with all its threads, but not its children.
     *
     * @throws IllegalArgumentException if it is this JVM, which its own limits must not hit
     */
    public void add(long pid) throws IOException {
        if (pid <= 0
                || pid > Integer.MAX_VALUE
                || pid == ProcessHandle.current().pid()) {
            throw new IllegalArgumentException("cgroup: pid " + pid
                    + " is this JVM, or no process; start a process of its own for what is limited");
        }
        for (var driver : drivers()) {
            driver.move((int) pid);
        }
    }

    /**
     * Changes limits while it is in use; those that are not named stay as they are.
     *
     * @throws CgroupException if a limit cannot be enforced, or memoryMax is less than what is in use: in version 2 that would
     *     kill (to insist, use {@code unified("memory.max", ...)}). Limits before it in the order may have been set.
     */
    public synchronized void update(Limits changed) throws IOException {
        requireOpen();
        var all = limits.with(changed);
        Processors.check(changed);
        var division = Division.of(mounts, changed, all, false);
        refuseBelowUsage(changed);
        if (division.needsUnified()) {
            if (unified == null) {
                throw new CgroupException(
                        Reason.NOT_DELEGATED,
                        "cgroup",
                        "this cgroup has no part in version 2, where " + division.unified() + " would be written",
                        null);
            }
            Path directory = unified.directories().getFirst();
            Subtree.enable(
                    mounts.unified().orElseThrow(),
                    Objects.requireNonNull(directory.getParent()),
                    division.unifiedControllers(),
                    false);
            unified.write(division.unified());
            if (division.devices().isPresent()) {
                unified.restrict(division.devices().get());
            }
        }
        if (!division.legacy().isEmpty()) {
            enterHierarchies(division.legacyHierarchies(mounts));
            if (legacy != null) {
                legacy.write(division.legacy());
            }
        }
        limits = all;
    }

    private void refuseBelowUsage(Limits changed) throws IOException {
        var max = changed.memoryMax();
        var memory = directory("memory");
        if (max.isEmpty() || memory.isEmpty() || !Files.exists(memory.get().resolve("memory.current"))) {
            return; // Version 1 refuses by itself.
        }
        long used = Long.parseLong(ControlFile.read(memory.get().resolve("memory.current")));
        if (max.getAsLong() < used) {
            throw new CgroupException(
                    Reason.BELOW_USAGE,
                    "memoryMax",
                    max.getAsLong() + " bytes is less than the " + used + " in use, and would kill; lower memoryHigh"
                            + " first, or insist with unified(\"memory.max\", ...)",
                    null);
        }
    }

    /** Joins hierarchies of version 1 that had no part so far: a directory in each, and all processes into it. */
    private void enterHierarchies(Set<Hierarchy> needed) throws IOException {
        var directories = new LinkedHashMap<Hierarchy, Path>();
        for (var hierarchy : mounts.hierarchies()) {
            if (!hierarchy.unified() && legacy != null) {
                hierarchy.controllers().stream()
                        .findFirst()
                        .flatMap(legacy::directory)
                        .ifPresent(d -> directories.put(hierarchy, d));
            }
        }
        var parents = new LinkedHashMap<Hierarchy, Path>();
        for (var hierarchy : needed) {
            if (!directories.containsKey(hierarchy)) {
                parents.put(hierarchy, Placement.parent(mounts, hierarchy, Optional.empty()));
            }
        }
        if (parents.isEmpty()) {
            return;
        }
        var members = directories();
        var made = new LinkedHashMap<Hierarchy, Path>();
        try {
            makeLegacy(parents, name, made);
            var joined = new V1Driver(made);
            var moved = new LinkedHashSet<Integer>();
            Set<Integer> left = members.isEmpty() ? Set.of() : Tasks.of(members.getFirst());
            // Until no child was born to one that had not moved yet.
            while (!moved.containsAll(left)) {
                for (int pid : left) {
                    if (moved.add(pid) && ProcessHandle.of(pid).isPresent()) {
                        joined.move(pid);
                    }
                }
                left = Tasks.of(members.getFirst());
            }
        } catch (IOException | RuntimeException failed) {
            undo(failed, null, made);
            throw failed;
        }
        directories.putAll(made);
        legacy = new V1Driver(directories);
    }

    /**
     * Makes a cgroup in this one, such as for a single command, whose limits count beside those of this one. Processes of this
     * one that are in the way move to a leaf of it. Close it before this one, or not at all.
     */
    public synchronized Cgroup child(String childName, Limits childLimits) throws IOException {
        return child(childName, childLimits, false);
    }

    /**
     * Makes a cgroup in this one that takes single threads ({@link #addThread}) of processes in this one. In version 2 only
     * limits of cpu, cpuset and pids are possible there.
     */
    public synchronized Cgroup threadedChild(String childName, Limits childLimits) throws IOException {
        return child(childName, childLimits, true);
    }

    private Cgroup child(String childName, Limits childLimits, boolean threaded) throws IOException {
        requireOpen();
        var called = Placement.checkedName(childName);
        Processors.check(childLimits);
        var division = Division.of(mounts, childLimits, childLimits, false);
        enterHierarchies(division.legacyHierarchies(mounts));
        @Nullable V2Driver below = null;
        var made = new LinkedHashMap<Hierarchy, Path>();
        try {
            if (unified != null) {
                Path parent = unified.directories().getFirst();
                Path top = mounts.unified().orElseThrow();
                if (threaded) {
                    below = threaded(parent.resolve(called));
                    Subtree.enable(top, parent, division.unifiedControllers(), false);
                } else {
                    Subtree.enable(top, parent, division.unifiedControllers(), true);
                    make(parent.resolve(called));
                    below = new V2Driver(parent.resolve(called), mounts.unifiedControllers());
                }
                below.write(division.unified());
                if (division.devices().isPresent()) {
                    below.restrict(division.devices().get());
                }
            }
            if (legacy != null) {
                var parents = new LinkedHashMap<Hierarchy, Path>();
                for (var hierarchy : mounts.hierarchies()) {
                    if (!hierarchy.unified()) {
                        hierarchy.controllers().stream()
                                .findFirst()
                                .flatMap(legacy::directory)
                                .ifPresent(d -> parents.put(hierarchy, d));
                    }
                }
                makeLegacy(parents, called, made);
                new V1Driver(made).write(division.legacy());
            }
            return new Cgroup(
                    mounts, called, below, made.isEmpty() ? null : new V1Driver(made), childLimits, List.of());
        } catch (IOException | RuntimeException failed) {
            undo(failed, below, made);
            throw failed;
        }
    }

    private V2Driver threaded(Path directory) throws IOException {
        make(directory);
        var driver = new V2Driver(directory, mounts.unifiedControllers());
        try {
            driver.makeThreaded();
            return driver;
        } catch (CgroupException refused) {
            driver.remove();
            throw refused;
        }
    }

    /** Moves one thread into a threaded cgroup. */
    public void addThread(long tid) throws IOException {
        if (tid <= 0 || tid > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("cgroup: " + tid + " is no thread");
        }
        if (unified != null) {
            unified.moveThread((int) tid);
        }
        synchronized (this) {
            if (legacy != null) {
                legacy.moveThread((int) tid);
            }
        }
    }

    /**
     * Gives the inside of it to a user: who may then make cgroups below it and move processes between them, but not change its
     * limits. With a cgroup namespace, and a mount with {@code nsdelegate}, that is what a container's own manager needs.
     *
     * @throws CgroupException in version 1, where that would be unsafe
     */
    public void delegate(int uid, int gid) throws IOException {
        if (unified == null) {
            throw new CgroupException(
                    Reason.NOT_IN_THIS_VERSION,
                    "delegate",
                    "only cgroups of version 2 can be given away safely; those of version 1 are the host's",
                    null);
        }
        unified.delegate(uid, gid);
    }

    /** Stops everything in it, and returns when it stands still. */
    public void freeze() throws IOException {
        freezer().freeze(true);
    }

    /** Lets everything in it go on. */
    public void thaw() throws IOException {
        freezer().freeze(false);
    }

    private Driver freezer() {
        return drivers().getFirst();
    }

    /** {@return whether the out-of-memory killer took a process of this cgroup} */
    public boolean outOfMemory() throws IOException {
        return usage().memory().map(m -> m.events().oomKill().orElse(0) > 0).orElse(false);
    }

    /**
     * {@return what is used now}
     *
     * @throws CgroupException if somebody removed the cgroup
     */
    public Usage usage() throws IOException {
        return UsageFiles.read(unified, legacy());
    }

    private synchronized @Nullable V1Driver legacy() {
        return legacy;
    }

    /** Kills every process in it and below, at once where the kernel can (cgroup.kill, Linux 5.14). */
    public void kill() throws IOException {
        drivers().getFirst().kill();
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the cgroup " + name + " is closed");
        }
    }

    /**
     * Kills what is left and removes the cgroup, with all below it. Idempotent.
     *
     * @throws IOException if a directory is still busy after ten seconds
     */
    @Override
    public synchronized void close() throws IOException {
        @Nullable IOException first = null;
        // Version 2 first: its kill is one write, and takes the processes out of the others too.
        for (var driver : drivers()) {
            try {
                driver.remove();
            } catch (IOException failed) {
                if (first == null) {
                    first = failed;
                } else {
                    first.addSuppressed(failed);
                }
            }
        }
        closed = first == null;
        if (first != null) {
            throw first;
        }
    }

    @Override
    public String toString() {
        return "Cgroup" + directories();
    }
}

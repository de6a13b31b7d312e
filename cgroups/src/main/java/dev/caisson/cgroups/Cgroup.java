// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import dev.caisson.cgroups.CgroupPlan.Unenforced;
import dev.caisson.cgroups.file.Driver;
import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.hierarchy.Placement;
import dev.caisson.cgroups.jfr.FlightEvents;
import dev.caisson.cgroups.spec.CgroupEvent;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.spec.OutOfMemory;
import dev.caisson.cgroups.spec.Pressure;
import dev.caisson.cgroups.spec.Usage;
import dev.caisson.cgroups.usage.Reading;
import dev.caisson.linux.call.HostPath;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/**
 * A cgroup of our own with limits, in as many hierarchies as the limits need: one of version 2, one per controller of
 * version 1. It is removed, with all that runs in it, when it is closed. This JVM never enters it. Thread-safe.
 */
public final class Cgroup implements AutoCloseable {
    private final CgroupMounts mounts;
    private final String name;
    private final CgroupEvents events;
    private final List<Unenforced> unenforced;
    private CgroupDirectories parts;
    private final Kills kills;
    private Limits limits;
    private volatile boolean frozen;
    private boolean closed;
    private boolean recorded;

    private Cgroup(
            CgroupMounts mounts,
            String name,
            CgroupDirectories parts,
            Limits limits,
            List<Unenforced> unenforced,
            boolean made)
            throws IOException {
        this.mounts = mounts;
        this.name = name;
        this.parts = parts;
        this.limits = limits;
        this.unenforced = List.copyOf(unenforced);
        this.events = new CgroupEvents(this, made);
        this.kills = new Kills(mounts);
        kills.watch(parts);
    }

    /** {@return a cgroup to be, where this process may make one} */
    public static CgroupBuilder builder() {
        return CgroupBuilder.of(null);
    }

    /** {@return a cgroup to be, in some of the hierarchies there are} */
    static CgroupBuilder builder(CgroupMounts mounts) {
        return CgroupBuilder.of(mounts);
    }

    static Cgroup create(CgroupBuilder.Site site, String name, Limits limits, boolean evacuate) throws IOException {
        var parts = CgroupDirectories.make(site, name, evacuate);
        return of(site.mounts(), name, parts, limits, site.division().unenforced());
    }

    /** {@return a cgroup that was just made, which is gone if this fails} */
    private static Cgroup of(
            CgroupMounts mounts, String name, CgroupDirectories parts, Limits limits, List<Unenforced> unenforced)
            throws IOException {
        try {
            var cgroup = new Cgroup(mounts, name, parts, limits, unenforced, true);
            cgroup.recorded = FlightEvents.areRecorded();
            if (cgroup.recorded) {
                cgroup.events().subscribe(FlightEvents.recorder(name));
            }
            return cgroup;
        } catch (IOException | RuntimeException failed) {
            parts.undo(failed);
            throw failed;
        }
    }

    /** {@return one that is not new: of what happened before nobody told} */
    static Cgroup existing(CgroupMounts mounts, String name, CgroupDirectories parts) throws IOException {
        return new Cgroup(mounts, name, parts, Limits.none(), List.of(), false);
    }

    /**
     * {@return a cgroup that exists already where {@link #builder} makes them, in all hierarchies that have it} Its limits are
     * not known here: {@link #limits} is what is set from now on.
     *
     * @throws CgroupException if no hierarchy has it
     * @throws IllegalArgumentException if that is not the name of a cgroup
     */
    public static Cgroup open(String name) throws IOException {
        return Existing.open(CgroupMounts.known(), Optional.empty(), name);
    }

    /**
     * {@return a cgroup that exists already below another one, in all hierarchies that have it}
     *
     * @param parent its path from the mount point, such as {@code /machine.slice}
     * @throws CgroupException if no hierarchy has it
     * @throws IllegalArgumentException if that is not a path, or not the name of a cgroup
     */
    public static Cgroup open(String parent, String name) throws IOException {
        return Existing.open(CgroupMounts.known(), Optional.of(Placement.checked(parent)), name);
    }

    /**
     * Removes what JVMs that ended without warning left behind where {@link #builder} makes cgroups: those whose name tells a
     * process of this PID namespace that runs no more, and all that runs in them. Others that do the same meanwhile are no
     * hindrance. A JVM that starts containers with cgroups does so by itself, once.
     *
     * @return the names of the cgroups
     * @throws IOException if some stay; the others are gone
     */
    public static List<String> removeLeftovers() throws IOException {
        return Leftovers.remove(CgroupMounts.known(), Optional.empty());
    }

    /**
     * Removes what JVMs that ended without warning left behind below a cgroup, as {@link #removeLeftovers()} does.
     *
     * @param parent its path from the mount point, such as {@code /machine.slice}
     * @return the names of the cgroups
     * @throws IOException if some stay; the others are gone
     */
    public static List<String> removeLeftovers(String parent) throws IOException {
        return Leftovers.remove(CgroupMounts.known(), Optional.of(Placement.checked(parent)));
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

    private List<Driver> drivers() {
        var now = parts();
        var drivers = new ArrayList<Driver>();
        if (now.unified() != null) {
            drivers.add(now.unified());
        }
        if (now.legacy() != null) {
            drivers.add(now.legacy());
        }
        return drivers;
    }

    /** {@return its directories; update may add some} */
    synchronized CgroupDirectories parts() {
        return parts;
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
                    + " is this JVM, or not the number of a process; start a process of its own for what is limited");
        }
        for (var driver : drivers()) {
            driver.move((int) pid);
        }
    }

    /**
     * Changes limits while it is in use, all or none; those that are not named stay as they are.
     *
     * @throws CgroupException if a limit cannot be enforced, or memoryMax is less than what is in use: in version 2 that would
     *     kill (to insist, use {@code unified("memory.max", ...)}). Then all limits are what they were
     */
    public synchronized void update(Limits changed) throws IOException {
        requireOpen();
        var all = limits.with(changed);
        became(new Update(mounts, name, parts).run(changed, all));
        limits = all;
    }

    private void became(CgroupDirectories now) throws IOException {
        parts = now;
        kills.watch(now);
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

    /** {@return what {@link #child} would do} A name that is not one stands for any. */
    public synchronized CgroupPlan explainChild(String childName, Limits childLimits) throws IOException {
        requireOpen();
        return new CgroupChildren(mounts, name, parts).explain(childName, childLimits);
    }

    private Cgroup child(String childName, Limits childLimits, boolean threaded) throws IOException {
        requireOpen();
        var children = new CgroupChildren(mounts, name, parts);
        var division = children.division(childName, childLimits);
        became(children.join(division));
        var child = new CgroupChildren(mounts, name, parts).make(childName, division, threaded);
        return of(mounts, childName, child, childLimits, List.of());
    }

    /** Moves one thread into a threaded cgroup. */
    public void addThread(long tid) throws IOException {
        if (tid <= 0 || tid > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("cgroup: " + tid + " is not the number of a thread");
        }
        var now = parts();
        if (now.unified() != null) {
            now.unified().moveThread((int) tid);
        }
        if (now.legacy() != null) {
            now.legacy().moveThread((int) tid);
        }
    }

    /**
     * Gives the inside of it to a user: who may then make cgroups below it and move processes between them, but not change its
     * limits. With a cgroup namespace, and a mount with {@code nsdelegate}, that is what a container's own manager needs.
     *
     * @throws CgroupException in version 1, where that would be unsafe
     */
    public void delegate(int uid, int gid) throws IOException {
        var unified = parts().unified();
        if (unified == null) {
            throw new CgroupException(
                    Reason.NOT_IN_THIS_VERSION,
                    "delegate",
                    "only cgroups of version 2 can be given to a user safely; those of version 1 stay the host's",
                    null);
        }
        unified.delegate(uid, gid);
    }

    /** Stops everything in it, and returns when it stands still. */
    public void freeze() throws IOException {
        freezer().freeze(true);
        frozen = true;
    }

    /** Lets everything in it go on. */
    public void thaw() throws IOException {
        frozen = false;
        freezer().freeze(false);
    }

    /** {@return whether it was frozen here, and is not thawed} */
    public boolean isFrozen() {
        return frozen;
    }

    private Driver freezer() {
        return drivers().getFirst();
    }

    /**
     * {@return what the out-of-memory killer did to it and all below it since it was made; empty if nothing} After it was closed,
     * what it had done until then.
     */
    public Optional<OutOfMemory> outOfMemory() throws IOException {
        return kills.find(isClosed());
    }

    /** {@return the same, without the kernel's log, which takes long to be read: no victims, and the level as counters tell it} */
    public Optional<OutOfMemory> outOfMemoryByCounters() throws IOException {
        return kills.findByCounters();
    }

    /**
     * {@return what is used now}
     *
     * @throws CgroupException if somebody removed the cgroup
     */
    public Usage usage() throws IOException {
        try (var reading = Reading.once()) {
            return UsageFiles.read(parts(), reading);
        }
    }

    /**
     * {@return a meter that takes snapshots several times as fast as {@link #usage}} It keeps open all files it reads, 20 to 30.
     *
     * @apiNote A kernel opens a control file about as fast as it reads five.
     */
    public UsageMeter meter() {
        return new UsageMeter(this);
    }

    /**
     * {@return what the kernel tells of it: kills, limits that were met, whether it is populated or frozen} Each subscriber gets
     * all that happened since the cgroup was made ({@link #open opened}: since the subscription), as much as it requests, on
     * virtual threads, one event at a time; while it requests nothing, counts are added up. Nothing is polled for: one thread of
     * this JVM waits for all cgroups together. The stream is complete when this cgroup is closed; it fails with a {@link
     * CgroupException} if the files cannot be opened, or the cgroup is found to be removed by somebody else.
     *
     * <p>A subscription takes a descriptor for each of cgroup.events, memory.events, pids.events, and for limits of swap, huge
     * pages and processor time one more. With version 1 there are kills (memory.oom_control) and refused forks only,
     * and of these since Linux 6.11 the kernel tells nobody, so that they come with the end of the stream.
     */
    public Flow.Publisher<CgroupEvent> events() {
        return events.events();
    }

    /**
     * {@return an event whenever so much time is lost by waiting} A subscription takes one descriptor; with CAP_SYS_RESOURCE the
     * kernel starts a thread of its own for each cgroup that has triggers. Otherwise as {@link #events}.
     *
     * @throws CgroupException if this kernel, this user or this cgroup cannot
     */
    public Flow.Publisher<Pressure.Event> pressure(Pressure trigger) throws IOException {
        return events.pressure(trigger);
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
    public void close() throws IOException {
        if (events.areWatched() || FlightEvents.areRecorded()) {
            lastWords();
        }
        events.close();
        synchronized (this) {
            remove();
        }
    }

    /** What only the directory tells, before it goes. */
    private void lastWords() {
        try {
            var cause = outOfMemory();
            if (!recorded && !isClosed()) {
                FlightEvents.recordAll(name, usage(), cause);
            }
        } catch (IOException removed) {
            // Then there is nothing to be learned any more, and removing goes on.
        }
    }

    private synchronized boolean isClosed() {
        return closed;
    }

    private void remove() throws IOException {
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
        return "Cgroup" + HostPath.shown(directories());
    }
}

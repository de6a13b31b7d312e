// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import dev.caisson.cgroups.Cgroup;
import dev.caisson.cgroups.UsageMeter;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.cgroups.spec.OutOfMemory;
import dev.caisson.cgroups.spec.Usage;
import dev.caisson.linux.child.Ward;
import dev.caisson.process.Surroundings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** A container's own cgroup, which ends with it, and what is known of it afterwards. */
public final class ContainerCgroup implements Surroundings {
    /** The number of the PID namespace in which pids mean the same as in the kernel's log (PROC_PID_INIT_INO). */
    private static final String INITIAL_PID_NAMESPACE = "pid:[4026531836]";

    private final Cgroup cgroup;
    private final OptionalLong command;
    private final Optional<OuterMemory> outer;
    private volatile boolean keepsUsage;
    private @Nullable UsageMeter meter;
    private volatile @Nullable Usage last;

    /** Null: nobody has asked yet. */
    @SuppressWarnings("NullableOptional")
    private volatile @Nullable Optional<OutOfMemory> lastOfOuter;

    private final Ward will;

    /**
     * @param command the pid of the command; empty if an init stands between, so that it is not known
     * @param outer where its memory is counted, if not in its cgroup
     * @param will what has it removed if this JVM ends first
     */
    ContainerCgroup(Cgroup cgroup, OptionalLong command, Optional<OuterMemory> outer, Ward will) {
        this.cgroup = cgroup;
        this.command = command;
        this.outer = outer;
        this.will = will;
    }

    public Cgroup cgroup() {
        return cgroup;
    }

    /** Keeps what was used at the end; not for those who only wait for the end, whom it would cost time. */
    public void keepUsage() {
        keepsUsage = true;
    }

    /** {@return what is used, or was at the end} */
    public Usage usage() throws IOException {
        var kept = last;
        if (kept != null) {
            return kept;
        }
        try {
            return cgroup.usage();
        } catch (CgroupException vanished) {
            var atEnd = last;
            if (atEnd != null) {
                return atEnd; // It ended meanwhile.
            }
            throw vanished;
        }
    }

    /** Has its processor time known by a meter, which it closes. */
    synchronized void counts(UsageMeter by) {
        meter = by;
    }

    @Override
    public synchronized Duration cpuTime() throws IOException {
        if (meter == null) {
            throw new CgroupException(Reason.VANISHED, "cpuTimeMax", "the account of processor time is closed", null);
        }
        return CpuAccount.of(meter);
    }

    private synchronized void countNoMore() {
        if (meter != null) {
            meter.close();
            meter = null;
        }
    }

    @Override
    public void kill() throws IOException {
        cgroup.kill();
    }

    @Override
    public Optional<OutOfMemory> dissolve() throws IOException {
        countNoMore();
        try (cgroup) {
            if (keepsUsage) {
                last = lastUsage();
            }
            var event = outOfMemory();
            if (outer.isPresent()) {
                lastOfOuter = event; // What comes later is not the command's.
            }
            return event.filter(this::tookTheCommand).map(known -> withCommand(known, command));
        } finally {
            will.end();
        }
    }

    private Optional<OutOfMemory> outOfMemory() throws IOException {
        var atEnd = lastOfOuter;
        if (atEnd != null) {
            return atEnd;
        }
        return outer.isPresent() ? outer.get().since() : cgroup.outOfMemory();
    }

    private Usage lastUsage() throws IOException {
        try {
            return cgroup.usage();
        } catch (CgroupException vanished) {
            return Usage.none(); // Whoever removed it took the counters along.
        }
    }

    /** Others in it may be the victims; the kernel's log may tell. */
    private boolean tookTheCommand(OutOfMemory event) {
        boolean allKnown = event.victims().size() >= event.kills() && command.isPresent() && hasInitialPids();
        return !allKnown || event.victims().stream().anyMatch(v -> v.pid() == command.getAsLong());
    }

    private static boolean hasInitialPids() {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/ns/pid"))
                    .toString()
                    .equals(INITIAL_PID_NAMESPACE);
        } catch (IOException unreadable) {
            return false;
        }
    }

    /**
     * {@return what the out-of-memory killer did in it; empty if nothing}
     *
     * @param tookTheCommand whether that is how the command ended
     */
    public Optional<OutOfMemory> outOfMemory(boolean tookTheCommand) throws IOException {
        return outOfMemory().map(event -> tookTheCommand ? withCommand(event, command) : event);
    }

    /** Where nobody may read the kernel's log, the end of the command still tells of one victim. */
    static OutOfMemory withCommand(OutOfMemory event, OptionalLong command) {
        return command.isEmpty() || !event.victims().isEmpty()
                ? event
                : new OutOfMemory(
                        event.scope(),
                        event.level(),
                        event.limitBytes(),
                        event.peakBytes(),
                        event.kills(),
                        List.of(new OutOfMemory.Victim(command.getAsLong(), Optional.empty())));
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import dev.caisson.cgroups.Cgroup;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.InsideSpec;
import dev.caisson.launch.PreparedLaunches;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.sys.Fd;
import dev.caisson.spec.Join;
import dev.caisson.spec.Namespace;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/**
 * All that a further command requires of a running container: its process, by a pidfd, what it is confined by, and its cgroup.
 * Thread-safe.
 */
public final class Entrance {
    private final Join.Held process;
    private final ContainerSpec spec;
    private final Optional<Cgroup> cgroup;
    private final PreparedLaunches launches = new PreparedLaunches();
    private final AtomicLong commands = new AtomicLong();

    /**
     * The entrance of a container.
     *
     * @param process its first one
     * @param inside what it is like inside
     * @param cgroup its own, if it has one; whoever holds the container closes it
     */
    public Entrance(Join.Held process, InsideSpec inside, Optional<Cgroup> cgroup) {
        this.process = process;
        this.cgroup = cgroup;
        var command = inside.command(process);
        this.spec = cgroup.isPresent() ? command.limits(l -> l.withSet(Limits.none())) : command;
    }

    /** {@return the container's first process} */
    public Join.Held process() {
        return process;
    }

    /** {@return a command of which nothing was said: as confined as the container} */
    public ContainerSpec spec() {
        return spec;
    }

    /** {@return launches of commands before} */
    public PreparedLaunches launches() {
        return launches;
    }

    /** {@return the container's cgroup, if it has one} */
    Optional<Cgroup> cgroup() {
        return cgroup;
    }

    boolean isFrozen() {
        return cgroup.filter(Cgroup::isFrozen).isPresent();
    }

    /** {@return the name of a cgroup of one command, which no other has, nor anybody inside can have made before} */
    String nextName() {
        String name = "command-" + ProcessHandle.current().pid() + "-" + commands.incrementAndGet();
        return spec.limits().leavable() ? name + "-" + Long.toHexString(new SecureRandom().nextLong()) : name;
    }

    /** {@return whether the kernel ends a command when the container ends} */
    boolean endsAll() {
        return spec.namespaces().joined(Namespace.PID).isPresent();
    }

    /**
     * {@return a descriptor of the container's first process; the caller closes it}
     *
     * @throws LinuxException if it has ended
     */
    Fd open() throws IOException {
        return Fd.owning(process.duplicate());
    }

    /** {@return whether the container has ended} */
    boolean hasEnded() {
        try (var _ = open()) {
            return false;
        } catch (IOException ended) {
            return true;
        }
    }
}

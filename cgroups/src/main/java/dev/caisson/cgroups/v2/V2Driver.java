// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v2;

import dev.caisson.cgroups.file.ControlFile;
import dev.caisson.cgroups.file.Driver;
import dev.caisson.cgroups.file.Refusal;
import dev.caisson.cgroups.file.Write;
import dev.caisson.cgroups.file.Writing;
import dev.caisson.cgroups.process.Removal;
import dev.caisson.cgroups.process.Tasks;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.cgroups.spec.DeviceRules;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Bpf;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A cgroup in the unified hierarchy. */
public final class V2Driver implements Driver {
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final Path directory;
    private final Set<String> controllers;
    private @Nullable Fd deviceProgram;

    /** @param controllers what the hierarchy has at the top */
    public V2Driver(Path directory, Set<String> controllers) {
        this.directory = directory;
        this.controllers = Set.copyOf(controllers);
    }

    @Override
    public List<Path> directories() {
        return List.of(directory);
    }

    @Override
    public Optional<Path> directory(String controller) {
        return controller.isEmpty() || controllers.contains(controller) ? Optional.of(directory) : Optional.empty();
    }

    @Override
    public void write(List<Write> writes, Writing writing) throws IOException {
        writing.all(writes, _ -> directory);
    }

    /** Says which devices may be used, from now on. */
    public synchronized void restrict(DeviceRules rules) throws IOException {
        try (var cgroup = Files.open(HostPath.of(directory), OpenFlags.O_DIRECTORY, 0)) {
            var program = Bpf.load(
                    Bpf.PROGRAM_CGROUP_DEVICE, Bpf.ATTACH_CGROUP_DEVICE, Devices.program(rules), "caisson_devices");
            try {
                // In one step: between two there would be a moment without rules.
                Bpf.attach(cgroup, program, Bpf.ATTACH_CGROUP_DEVICE, deviceProgram);
            } catch (LinuxException refused) {
                program.close();
                throw refused;
            }
            if (deviceProgram != null) {
                deviceProgram.close();
            }
            deviceProgram = program;
        } catch (LinuxException refused) {
            throw new CgroupException(
                    refused.errno().equals(Errno.EPERM) ? Reason.NOT_DELEGATED : Reason.REFUSED,
                    "devices",
                    refused.getMessage()
                            + (refused.errno().equals(Errno.EPERM)
                                    ? "; rules for devices require CAP_BPF and CAP_NET_ADMIN in the host's user namespace"
                                    : ""),
                    refused);
        }
    }

    @Override
    public void move(int pid) throws IOException {
        enter("cgroup.procs", pid);
    }

    /** Moves one thread into a threaded cgroup. */
    public void moveThread(int tid) throws IOException {
        enter("cgroup.threads", tid);
    }

    private void enter(String file, int id) throws CgroupException {
        try {
            ControlFile.write(Subtree.home(directory).resolve(file), Integer.toString(id));
        } catch (LinuxException refused) {
            throw Refusal.ofMove(directory, refused);
        }
    }

    /** Lets it take single threads of the process whose other threads are above it. For good. */
    public void makeThreaded() throws CgroupException {
        try {
            ControlFile.write(directory.resolve("cgroup.type"), "threaded");
        } catch (LinuxException refused) {
            throw new CgroupException(
                    Reason.REFUSED,
                    "threaded",
                    refused.getMessage()
                            + "; the parent must be threaded or have processes of its own, and give its children no"
                            + " controllers but cpu, cpuset, pids and perf_event",
                    refused);
        }
    }

    /** Gives the directory and the files that the kernel lists as safe to a user; limits are not among them. */
    public void delegate(int uid, int gid) throws IOException {
        var files = new ArrayList<Path>();
        files.add(directory);
        for (String file : java.nio.file.Files.readAllLines(Path.of("/sys/kernel/cgroup/delegate"))) {
            files.add(directory.resolve(file));
        }
        for (Path file : files) {
            if (java.nio.file.Files.exists(file)) {
                java.nio.file.Files.setAttribute(file, "unix:uid", uid);
                java.nio.file.Files.setAttribute(file, "unix:gid", gid);
            }
        }
    }

    @Override
    public void freeze(boolean frozen) throws IOException {
        Writing.of(new Write("freeze", "", "cgroup.freeze", frozen ? "1" : "0"), directory);
        if (frozen && !ControlFile.await(directory.resolve("cgroup.events"), "frozen 1", PATIENCE)) {
            Writing.of(new Write("freeze", "", "cgroup.freeze", "0"), directory);
            throw new CgroupException(
                    Reason.BUSY,
                    "freeze",
                    HostPath.shown(directory) + " did not stand still within " + PATIENCE.toSeconds()
                            + " s, and goes on; a process in"
                            + " it sleeps in the kernel where it cannot be stopped (state D in ps)",
                    null);
        }
    }

    @Override
    public void kill() throws IOException {
        try {
            ControlFile.write(directory.resolve("cgroup.kill"), "1");
        } catch (LinuxException refused) {
            boolean missing =
                    refused.errno().equals(Errno.ENOENT) || refused.errno().equals(Errno.EOPNOTSUPP);
            if (!missing && !refused.errno().equals(Errno.ENODEV)) {
                throw Refusal.ofMove(directory, refused);
            }
            if (java.nio.file.Files.isDirectory(directory)) {
                killOneByOne();
            }
        }
    }

    /** Before Linux 5.14, and in threaded cgroups: frozen, so that nothing forks while it is gone through. */
    private void killOneByOne() throws IOException {
        boolean frozen = false;
        try {
            ControlFile.write(directory.resolve("cgroup.freeze"), "1");
            frozen = true;
        } catch (LinuxException without) {
            // Without it, killing is repeated until nothing is left, which Removal does.
        }
        try {
            var _ = Tasks.kill(directory);
        } finally {
            if (frozen) {
                ControlFile.write(directory.resolve("cgroup.freeze"), "0");
            }
        }
    }

    @Override
    public synchronized void remove() throws IOException {
        Removal.of(directory, this::kill);
        if (deviceProgram != null) {
            deviceProgram.close();
            deviceProgram = null;
        }
    }

    @Override
    public String toString() {
        return directory.toString();
    }
}

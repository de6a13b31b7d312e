// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import dev.caisson.cgroups.Cgroup;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.ParentSide;
import dev.caisson.launch.Slots;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.child.Consultation;
import dev.caisson.linux.child.Gate;
import dev.caisson.linux.child.Shim;
import dev.caisson.linux.child.ShimTerms;
import dev.caisson.linux.child.ShimTerms.Given;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.LocalSockets;
import dev.caisson.spec.LogFile;
import dev.caisson.spec.Restart;
import dev.caisson.spec.Stdio;
import dev.caisson.supervise.StateDirectory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A container on its way to independence: its supervisor, which launches it, and what that is told in the end. */
final class Detachment {
    private final ContainerSpec spec;
    private final StateDirectory.Claim claim;
    private final Shim shim;
    private final Map<String, byte[]> answers = new HashMap<>();

    /**
     * What was made for the launch, and is the supervisor's from now on.
     *
     * @param streams this side's ends of pipes, by their number in the command
     * @param status on which an init reports
     * @param kept the socket with the root
     * @param leases on layers
     */
    record Made(
            LaunchPlan plan,
            Map<Integer, Fd> streams,
            @Nullable Fd status,
            @Nullable Fd kept,
            List<Integer> leases,
            Optional<Cgroup> cgroup) {}

    Detachment(ContainerSpec spec, StateDirectory.Claim claim, Shim shim) {
        this.spec = spec;
        this.claim = claim;
        this.shim = shim;
    }

    /** {@return a name for the cgroup of a container, which no other has} */
    static String newCgroupName(String name) {
        return "caisson-detached-" + name + "-" + UUID.randomUUID().toString().substring(0, 8);
    }

    Shim shim() {
        return shim;
    }

    /** {@return gates that remember what was answered, for a launch without a JVM} */
    Map<String, Gate> remembering(Map<String, Gate> gates) {
        var all = new HashMap<>(gates);
        all.replaceAll((name, gate) -> gate instanceof Consultation asked ? remembering(name, asked) : gate);
        return all;
    }

    private Consultation remembering(String name, Consultation asked) {
        return shown -> {
            byte[] answer = asked.answer(shown);
            answers.put(name, answer);
            return answer;
        };
    }

    /** Lets the supervisor go with what was launched. */
    void commit(int pid, Made made) throws IOException {
        var opened = new ArrayList<Fd>();
        try {
            var given = new HashMap<Given, Integer>();
            var listener = LocalSockets.listen(claim.directory(), StateDirectory.SOCKET);
            opened.add(listener);
            given.put(Given.LISTENER, listener.number());
            put(given, Given.INPUT, made.streams().get(0));
            put(given, Given.OUTPUT, made.streams().get(1));
            put(given, Given.ERRORS, made.streams().get(2));
            put(given, Given.INIT_STATUS, made.status());
            put(given, Given.KEPT, made.kept());
            var logs = logs();
            for (int i = 0; i < logs.size(); i++) {
                var directory = directory(logs.get(i));
                opened.add(directory);
                given.put(i == 0 ? Given.FIRST_SINK : Given.SECOND_SINK, directory.number());
            }
            if (made.status() != null) {
                Files.makeNonBlocking(made.status());
            }
            shim.commit(pid, terms(given, made, logs), spec.root().kept() ? Optional.of(Slots.KEPT) : Optional.empty());
        } finally {
            opened.forEach(Fd::close);
        }
    }

    private static void put(Map<Given, Integer> given, Given what, @Nullable Fd fd) {
        if (fd != null) {
            given.put(what, fd.number());
        }
    }

    private List<LogFile> logs() {
        var logs = new ArrayList<LogFile>();
        for (int stream = 1; stream <= 2; stream++) {
            log(spec, stream).filter(log -> !logs.contains(log)).ifPresent(logs::add);
        }
        return logs;
    }

    /** {@return the log of a standard stream, if it has one} */
    static Optional<LogFile> log(ContainerSpec spec, int stream) {
        var stdio = stream == 1 ? spec.process().stdout() : spec.process().stderr();
        return stdio.flatMap(s -> s instanceof Stdio.Log(LogFile file) ? Optional.of(file) : Optional.empty());
    }

    private static Fd directory(LogFile log) throws IOException {
        Path above = log.path().getParent();
        var directory = Files.open(HostPath.of(above == null ? Path.of("/") : above), OpenFlags.O_DIRECTORY, 0);
        try {
            // Whether it can be written is known now, and not when the first line comes; a FIFO that somebody put there
            // is an
            // error, and not waited for.
            Files.open(
                            HostPath.of(log.path()),
                            OpenFlags.O_WRONLY
                                    | OpenFlags.O_CREAT
                                    | OpenFlags.O_APPEND
                                    | OpenFlags.O_NOFOLLOW
                                    | OpenFlags.O_NONBLOCK,
                            0600)
                    .close();
            return directory;
        } catch (IOException | RuntimeException | Error failed) {
            directory.close();
            throw failed;
        }
    }

    private ShimTerms terms(Map<Given, Integer> given, Made made, List<LogFile> logs) throws IOException {
        var restart = spec.supervision().restart();
        return new ShimTerms(
                given,
                made.leases(),
                switch (restart) {
                    case Restart.Never _ -> ShimTerms.Restart.NEVER;
                    case Restart.OnFailure _ -> ShimTerms.Restart.ON_FAILURE;
                    case Restart.Always _, Restart.UnlessStopped _ -> ShimTerms.Restart.ALWAYS;
                },
                restart instanceof Restart.OnFailure(int most) ? most : 0,
                spec.process().timeout().map(t -> Math.max(1, t.toMillis())).orElse(0L),
                logs.stream().map(Detachment::sink).toList(),
                log(spec, 1).map(logs::indexOf),
                log(spec, 2).map(logs::indexOf),
                made.cgroup().stream()
                        .flatMap(c -> c.directories().stream())
                        .map(HostPath::of)
                        .toList(),
                made.cgroup().flatMap(Detachment::memoryEvents),
                spec.supervision().restarts() ? ParentSide.replays(made.plan(), answers) : List.of());
    }

    private static ShimTerms.Sink sink(LogFile log) {
        return new ShimTerms.Sink(
                HostPath.of(log.path().getFileName()),
                log.maxBytes(),
                log.files(),
                switch (log.format()) {
                    case JSON -> ShimTerms.Format.JSON;
                    case CRI -> ShimTerms.Format.CRI;
                });
    }

    private static Optional<String> memoryEvents(Cgroup cgroup) {
        return cgroup.directory("memory")
                .map(directory -> directory.resolve(
                        java.nio.file.Files.exists(directory.resolve("memory.events"))
                                ? "memory.events"
                                : "memory.oom_control"))
                .map(HostPath::of);
    }
}

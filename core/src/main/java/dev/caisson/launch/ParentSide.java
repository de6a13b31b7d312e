// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.child.Consultation;
import dev.caisson.linux.child.Gate;
import dev.caisson.linux.child.Handover;
import dev.caisson.linux.child.ShimTerms;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.overlay.mount.TopDirectory;
import dev.caisson.overlay.mount.UpperDirectory;
import dev.caisson.spec.Capability;
import dev.caisson.spec.IdMap;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** What the JVM does at the gates of a launch. */
public final class ParentSide {
    private static final int HELPER_SECONDS = 20;

    private ParentSide() {}

    /**
     * {@return the work at each gate}
     *
     * @param listening takes the listener of a supervised filter
     * @param terminal takes the master of the command's terminal
     * @param known told whom the command runs as, where only its finished root could tell
     */
    public static Map<String, Gate> gates(LaunchPlan plan, Handover listening, Handover terminal, WhenKnown known) {
        var input = plan.input();
        var gates = new HashMap<String, Gate>();
        if (input.idMap().isPresent() && plan.program().gates().contains(IdMapSteps.GATE)) {
            var map = input.idMap().get();
            gates.put(IdMapSteps.GATE, pid -> writeMaps(pid, map, input.host()));
        }
        if (plan.program().gates().contains(SeccompSteps.LISTENER)) {
            gates.put(SeccompSteps.LISTENER, listening);
        }
        if (plan.program().gates().contains(TerminalSteps.GATE)) {
            gates.put(TerminalSteps.GATE, terminal);
        }
        if (input.spec().root().asks(RootSpec.Question.PLACES)) {
            for (var mount : input.spec().root().mounts()) {
                gates.put(Places.gate(mount), Places.consultation(mount));
            }
        }
        if (plan.program().gates().contains(AccountSteps.GATE)) {
            Consultation asked = root -> lookUp(root, input, known);
            gates.put(AccountSteps.GATE, asked);
        }
        return gates;
    }

    /**
     * {@return what a supervisor does at each gate when it launches the same again, in the order of the gates}
     *
     * @param answers what was said at a gate
     */
    public static List<ShimTerms.Replay> replays(LaunchPlan plan, Map<String, byte[]> answers) throws IOException {
        var replays = new ArrayList<ShimTerms.Replay>();
        for (String gate : plan.program().gates()) {
            replays.add(
                    gate.equals(IdMapSteps.GATE)
                            ? maps(
                                    plan.input().idMap().orElseThrow(),
                                    plan.input().host())
                            : new ShimTerms.Replay.Say(answers.getOrDefault(gate, new byte[0])));
        }
        return replays;
    }

    private static ShimTerms.Replay maps(IdMap map, HostFacts host) throws IOException {
        return host.can(Capability.SETUID) && host.can(Capability.SETGID)
                ? new ShimTerms.Replay.WriteMaps(text(map.uids()), text(map.gids()))
                : new ShimTerms.Replay.RunPrograms(helper("newuidmap", map.uids()), helper("newgidmap", map.gids()));
    }

    private static List<String> helper(String program, List<IdMap.Range> ranges) throws IOException {
        var command = new ArrayList<String>();
        command.add(programPath(program));
        command.addAll(arguments(ranges));
        return command;
    }

    private static String programPath(String program) throws IOException {
        String path = System.getenv("PATH");
        for (String directory : (path == null ? "/usr/bin:/bin" : path).split(":")) {
            Path file = Path.of(directory.isEmpty() ? "." : directory, program).toAbsolutePath();
            if (java.nio.file.Files.isExecutable(file)) {
                return file.toString();
            }
        }
        throw new IOException("user namespace: " + program + " is not in PATH=" + path);
    }

    /** What is to be done once the user of the command is known. */
    @FunctionalInterface
    public interface WhenKnown {
        void is(Principal principal) throws IOException;
    }

    private static byte[] lookUp(Fd root, PlanInput input, WhenKnown known) throws IOException {
        var process = input.spec().process();
        var principal = new Accounts(root).resolve(process.user(), process.groups());
        var unmapped = input.idMapInside().flatMap(map -> Planner.unmapped(map, principal));
        if (unmapped.isPresent()) {
            throw new IOException(unmapped.get());
        }
        known.is(principal);
        return AccountSteps.encode(principal);
    }

    /**
     * Makes the directories of a writable layer on disk that are missing.
     *
     * @return what takes them away again, should the launch fail
     */
    public static Optional<AutoCloseable> prepareUpper(PlanInput input) throws IOException {
        if (!(input.spec().root().source() instanceof Root.Layers(var overlay))
                || overlay.upper().isEmpty()) {
            return Optional.empty();
        }
        var upper = overlay.upper().get();
        return Optional.of(UpperDirectory.prepare(upper.directory(), upper.work(), owner(input), () -> top(input)));
    }

    /** {@return what the top of a new writable layer is to be, by the host's ids; empty where this user may give nothing away} */
    private static Optional<TopDirectory> top(PlanInput input) {
        return input.top()
                .filter(_ -> input.host().can(Capability.CHOWN))
                .map(top -> input.idMap()
                        .map(map -> top.ownedBy(
                                map.uidOutside(top.uid()).orElse(input.host().uid()),
                                map.gidOutside(top.gid()).orElse(input.host().gid())))
                        .orElse(top));
    }

    /** {@return root of the container as the host knows it, if that is somebody else than the JVM} */
    private static OptionalLong owner(PlanInput input) {
        return input.idMap().stream()
                .flatMap(map -> map.uids().stream())
                .filter(range -> range.inside() == 0)
                .mapToLong(IdMap.Range::outside)
                .filter(uid -> uid != input.host().uid() && input.host().can(Capability.CHOWN))
                .findFirst();
    }

    static void writeMaps(int pid, IdMap map, HostFacts host) throws IOException {
        if (host.can(Capability.SETUID) && host.can(Capability.SETGID)) {
            writeMapsHere(pid, map);
            return;
        }
        help("newuidmap", pid, map.uids(), "/etc/subuid");
        help("newgidmap", pid, map.gids(), "/etc/subgid");
    }

    /** As one who may: the host's root. */
    static void writeMapsHere(int pid, IdMap map) throws IOException {
        write(pid, "uid_map", map.uids());
        write(pid, "gid_map", map.gids());
    }

    private static void write(int pid, String file, List<IdMap.Range> ranges) throws IOException {
        String lines = text(ranges);
        try (var map = Files.open("/proc/" + pid + "/" + file, OpenFlags.O_WRONLY, 0);
                var arena = Arena.ofConfined()) {
            // One write: the kernel takes a map whole or not at all.
            Files.writeFully(map, arena.allocateFrom(lines).asSlice(0, lines.length()));
        } catch (LinuxException refused) {
            throw new IOException(
                    "user namespace: writing " + ranges + " to " + file + " was refused: " + refused.getMessage(),
                    refused);
        }
    }

    private static String text(List<IdMap.Range> ranges) {
        var lines = new StringBuilder();
        ranges.forEach(range -> lines.append(range).append('\n'));
        return lines.toString();
    }

    private static List<String> arguments(List<IdMap.Range> ranges) {
        return ranges.stream()
                .flatMap(range -> Stream.of(range.inside(), range.outside(), range.count()))
                .map(number -> Long.toString(number))
                .toList();
    }

    private static void help(String program, int pid, List<IdMap.Range> ranges, String file) throws IOException {
        var command = new ArrayList<String>(List.of(program, Integer.toString(pid)));
        command.addAll(arguments(ranges));
        try {
            var process = started(program, command);
            process.getOutputStream().close();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            if (!process.waitFor(HELPER_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException("user namespace: " + program + " did not end within " + HELPER_SECONDS + " s");
            }
            if (process.exitValue() != 0) {
                throw new IOException("user namespace: " + String.join(" ", command) + " failed: " + said
                        + "; the ranges must be this user's in " + file);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while " + program + " ran", interrupted);
        }
    }

    private static Process started(String program, List<String> command) throws IOException {
        try {
            return new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException failed) {
            throw new IOException(
                    "user namespace: mapping more than one id without root requires " + program
                            + " (Debian package uidmap), which cannot be run; map a single id instead",
                    failed);
        }
    }
}

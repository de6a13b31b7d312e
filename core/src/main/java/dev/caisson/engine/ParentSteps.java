// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.PlanInput;
import dev.caisson.launch.Root;
import dev.caisson.launch.TerminalOrigin;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.child.Launch;
import dev.caisson.spec.Join;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Stdio;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.stream.Stream;

/** All that the JVM does between the plan of a launch and its clone, in order. Pure: what is printed is what is run. */
public final class ParentSteps {
    private static final String LAYERS = "layers";
    private static final String STREAMS = "streams";

    private final List<ParentStep> steps = new ArrayList<>();
    private final PlanInput input;

    private ParentSteps(PlanInput input) {
        this.input = input;
    }

    /** {@return the steps of a launch, or of its preparation} */
    public static List<ParentStep> of(LaunchPlan plan) {
        var steps = new ParentSteps(plan.input());
        steps.prepare();
        if (plan.input().part() == PlanInput.Part.WHOLE) {
            steps.streams();
            steps.status();
        }
        steps.root();
        if (plan.mode() == Launch.Mode.ISOLATED) {
            steps.add(
                    "zygote",
                    "hand the program and the descriptors to the zygote, which clones",
                    "",
                    List.of("sendmsg(<zygote>, {program, descriptors})"),
                    _ -> {});
        }
        return steps.steps;
    }

    private void prepare() {
        cgroup();
        layers();
        volumes();
        writableLayer();
        joins();
    }

    private void add(String phase, String purpose, String needs, List<String> calls, ParentStep.Action action) {
        steps.add(new ParentStep(phase, purpose, needs, calls, action));
    }

    private void cgroup() {
        if (input.spec().limits().delegated()) {
            add(
                    "cgroup",
                    "let the container's root divide its cgroup",
                    "CAP_CHOWN, where that is another user",
                    List.of("fchownat(<cgroup>, cgroup.procs, ...)"),
                    Preparation::delegate);
        }
    }

    private void layers() {
        input.spec()
                .root()
                .branch()
                .ifPresent(branch -> add(LAYERS, "use " + branch + " alone", "", List.of(), here -> here.use(branch)));
        if (!(input.spec().root().source() instanceof Root.Layers(var overlay))) {
            return;
        }
        add(LAYERS, "keep layers of a store from being swept", "", List.of(), here -> here.lease(overlay.lower()));
        if (input.spec().root().kept()) {
            add(
                    LAYERS,
                    "know later which layers others have changed",
                    "",
                    overlay.lower().stream()
                            .map(layer -> "statx(AT_FDCWD, " + quoted(layer) + ")")
                            .toList(),
                    here -> here.watch(overlay.lower()));
        }
        if (input.idmappedLayers()) {
            var calls = new ArrayList<String>();
            for (Path layer : overlay.lower()) {
                calls.add("open_tree(AT_FDCWD, " + quoted(layer) + ", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC)");
                calls.add("mount_setattr(<layer>, \"\", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_IDMAP}, 32)");
            }
            // The attempt itself makes them: a launch takes them along.
            add(LAYERS, "show layers with the ids of the user namespace", "CAP_SYS_ADMIN", calls, _ -> {});
        }
    }

    private void volumes() {
        var calls = input.spec().root().mounts().stream()
                .filter(mount ->
                        mount instanceof Mount.Bind bind && bind.options().contains(Mount.Option.MAKE_SOURCE))
                .map(mount -> "mkdir(" + quoted(((Mount.Bind) mount).source()) + ", 0777)")
                .toList();
        if (!calls.isEmpty()) {
            add("volumes", "make the directories that are missing", "", calls, Preparation::makeVolumes);
        }
    }

    private void writableLayer() {
        if (input.spec().root().source() instanceof Root.Layers(var overlay)
                && overlay.upper().isPresent()) {
            var upper = overlay.upper().get();
            add(
                    "writable layer",
                    "make the directories of the writable layer if they are missing",
                    "",
                    List.of(
                            "mkdir(" + quoted(upper.directory()) + ", 0755)",
                            "mkdir(" + quoted(upper.work()) + ", 0700)"),
                    Preparation::makeUpper);
        }
    }

    private void joins() {
        var held = new HashSet<Join.Held>();
        for (var join : input.spec().namespaces().joins()) {
            if (join instanceof Join.OfHeld(var namespace, var process)
                    && namespace != Namespace.TIME
                    && !held.add(process)) {
                continue; // One descriptor of it is the way into all.
            }
            String file = join.namespace().file();
            String call = switch (join) {
                case Join.OfPath p -> "openat(AT_FDCWD, " + quoted(p.path()) + ", O_RDONLY|O_CLOEXEC)";
                case Join.OfProcess p ->
                    "openat(AT_FDCWD, \"/proc/" + p.pid() + "/ns/" + file + "\", O_RDONLY|O_CLOEXEC)";
                case Join.OfPidfd p -> "fcntl(" + p.pidfd() + ", F_DUPFD_CLOEXEC, 3)";
                case Join.OfHeld _ -> "fcntl(<pidfd>, F_DUPFD_CLOEXEC, 3)";
            };
            add("joins", "hold the " + file + " namespace to join", "", List.of(call), here -> here.open(join));
        }
    }

    private void streams() {
        var process = input.spec().process();
        var calls = new ArrayList<String>();
        input.terminalOrigin().filter(o -> o == TerminalOrigin.HOST).ifPresent(_ -> {
            calls.add("openat(AT_FDCWD, \"/dev/ptmx\", O_RDWR|O_NOCTTY|O_CLOEXEC)");
            calls.add("ioctl(<master>, TIOCSPTLCK, [0])");
            calls.add("ioctl(<master>, TIOCGPTPEER, O_RDWR|O_NOCTTY|O_CLOEXEC)");
        });
        process.stdin().ifPresent(stdio -> calls.addAll(calls(stdio, "stdin")));
        process.stdout().ifPresent(stdio -> calls.addAll(calls(stdio, "stdout")));
        process.stderr().ifPresent(stdio -> calls.addAll(calls(stdio, "stderr")));
        process.descriptors().forEach((number, stdio) -> calls.addAll(calls(stdio, "descriptor " + number)));
        add(STREAMS, "open the streams of the command", "", calls, Preparation::connectStreams);
    }

    private static List<String> calls(Stdio stdio, String name) {
        return switch (stdio) {
            case Stdio.Inherit _, Stdio.Terminal _ -> List.of();
            case Stdio.Discard _ -> List.of("openat(AT_FDCWD, \"/dev/null\", O_RDWR|O_CLOEXEC)");
            case Stdio.Pipe _, Stdio.Memory _, Stdio.Ring _, Stdio.Lines _, Stdio.Log _ ->
                List.of("pipe2(<" + name + ">, O_CLOEXEC)");
            case Stdio.Tee(var sinks) ->
                Stream.concat(
                                Stream.of("pipe2(<" + name + ">, O_CLOEXEC)"),
                                sinks.stream()
                                        .filter(Stdio.File.class::isInstance)
                                        .flatMap(file -> calls(file, name).stream()))
                        .toList();
            case Stdio.File file -> List.of("openat(AT_FDCWD, " + quoted(file.path()) + ", " + file.mode() + ")");
            case Stdio.Bytes bytes ->
                List.of(
                        "memfd_create(\"" + name + "\", MFD_CLOEXEC|MFD_ALLOW_SEALING)",
                        "write(<" + name + ">, " + bytes + ")");
        };
    }

    private void status() {
        if (input.spec().hasInit() || input.hasReaper()) {
            add(
                    STREAMS,
                    "learn from the " + (input.hasReaper() ? "reaper" : "init") + " how the command ended",
                    "",
                    List.of("pipe2(<status>, O_CLOEXEC)"),
                    Preparation::awaitStatus);
        }
    }

    private void root() {
        if (input.spec().root().kept()) {
            add(
                    STREAMS,
                    "receive the root, to read and write its files",
                    "",
                    List.of("socketpair(AF_UNIX, SOCK_SEQPACKET|SOCK_CLOEXEC, 0, <kept>)"),
                    Preparation::awaitRoot);
        }
    }

    private static String quoted(Path path) {
        return "\"" + HostPath.shown(path) + "\"";
    }
}

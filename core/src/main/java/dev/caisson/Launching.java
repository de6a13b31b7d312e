// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.engine.Engine;
import dev.caisson.engine.PreparedLaunch;
import dev.caisson.engine.Request;
import dev.caisson.engine.Started;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.PreparedLaunches;
import dev.caisson.process.InheritedStream;
import dev.caisson.spec.Stdio;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/** What all ways to start a command have in common: its streams, and that it is watched from the beginning. */
final class Launching {
    /** What somebody does with a command: that says where its streams lead unless they were set. */
    @SuppressWarnings("ImmutableEnumChecker") // These kinds of streams have nothing that could change.
    enum Verb {
        RUN(Stdio.inherit(), Stdio.inherit()),
        CAPTURE(Stdio.discard(), Stdio.memory(16 << 20)),
        START(Stdio.pipe(), Stdio.pipe());

        private final Stdio input;
        private final Stdio output;

        Verb(Stdio input, Stdio output) {
            this.input = input;
            this.output = output;
        }

        /** {@return whether the caller does nothing but wait for its end} */
        boolean waits() {
            return this != START;
        }

        private ContainerSpec complete(ContainerSpec spec) {
            if (waits()) {
                checkThatNoTerminalIsSet(spec);
            }
            if (this == RUN) {
                checkThatSomebodyCanRead("stdout", spec.process().stdout());
                checkThatSomebodyCanRead("stderr", spec.process().stderr());
            }
            return Launching.complete(spec, !waits(), input, output, output);
        }

        private void checkThatNoTerminalIsSet(ContainerSpec spec) {
            var terminal = spec.process().terminal();
            if (terminal.isPresent()) {
                throw new IllegalStateException(terminal.get() + " contradicts " + name().toLowerCase(Locale.ROOT)
                        + ", which does not talk to the command: call start, and read its stdout()");
            }
        }
    }

    private Launching() {}

    private static void checkThatSomebodyCanRead(String stream, Optional<Stdio> stdio) {
        if (stdio.isPresent() && isToBeRead(stdio.get())) {
            throw new IllegalStateException(stream + " to " + stdio.get() + " contradicts run, which returns nothing to"
                    + " read it from: call capture, or start");
        }
    }

    private static boolean isToBeRead(Stdio stdio) {
        return switch (stdio) {
            case Stdio.Memory _, Stdio.Ring _, Stdio.Pipe _, Stdio.Terminal _ -> true;
            case Stdio.Tee(var sinks) -> sinks.stream().anyMatch(Launching::isToBeRead);
            case Stdio.Lines _, Stdio.File _, Stdio.Inherit _, Stdio.Discard _, Stdio.Bytes _, Stdio.Log _ -> false;
        };
    }

    private static Engine engine() throws ContainerException {
        try {
            return Engine.beginning();
        } catch (IOException failed) {
            throw ContainerException.of(failed);
        }
    }

    private static Started started(Engine engine, Request request) throws ContainerException {
        try {
            return engine.launch(request);
        } catch (IOException failed) {
            throw ContainerException.of(failed);
        }
    }

    /**
     * {@return a launched command, watched, by the face that its user sees}
     *
     * @param request of the description with all streams set
     */
    static <P extends RunningProcess> P launch(
            Verb verb, ContainerSpec spec, Function<ContainerSpec, Request> request, Function<Started, P> face)
            throws IOException {
        // First of all: what it begins in a new JVM, another thread does while the rest is done here.
        var engine = engine();
        var complete = verb.complete(spec);
        return watched(started(engine, request.apply(complete)), complete, verb, face);
    }

    static Plan explain(Request request) throws ContainerException {
        try {
            return Explanation.of(Engine.shared().explain(request));
        } catch (IOException failed) {
            throw ContainerException.of(failed);
        }
    }

    /**
     * {@return a description with all streams as they will be}
     *
     * @param kept whether somebody may ask for its files
     */
    static ContainerSpec complete(ContainerSpec spec, boolean kept, Stdio stdin, Stdio stdout, Stdio stderr) {
        var process = spec.process();
        var input = InheritedStream.resolved(process.stdin().orElse(stdin), 0);
        var output = InheritedStream.resolved(process.stdout().orElse(stdout), 1);
        var error = InheritedStream.resolved(process.stderr().orElse(stderr), 2);
        var more = new LinkedHashMap<Integer, Stdio>();
        for (var descriptor : process.descriptors().entrySet()) {
            more.put(descriptor.getKey(), InheritedStream.resolved(descriptor.getValue(), descriptor.getKey()));
        }
        return spec.process(p ->
                        p.withStdin(input).withStdout(output).withStderr(error).withDescriptors(more))
                // Who only waits for the end has no object to ask for files.
                .root(r -> r.withKept(kept && spec.hasOwnRoot()));
    }

    /**
     * {@return everything that comes before a command}
     *
     * @param plans of the same builder
     */
    static PreparedLaunch prepared(ContainerSpec spec, PreparedLaunches plans) throws ContainerException {
        try {
            var kept = spec.root(r -> r.withKept(spec.hasOwnRoot()));
            return Engine.shared().prepare(new Request(kept, List.of(), plans));
        } catch (IOException failed) {
            throw ContainerException.of(failed);
        }
    }

    /** Where somebody gets what was prepared from. */
    @FunctionalInterface
    interface Source {
        PreparedLaunch take() throws ContainerException;
    }

    /**
     * {@return a command, started in what was prepared, watched}
     *
     * @param request of the description with all streams set
     */
    static RunningContainer start(
            Verb verb, ContainerSpec spec, Function<ContainerSpec, Request> request, Source prepared)
            throws IOException {
        var complete = verb.complete(spec);
        var asked = request.apply(complete);
        Started started;
        try {
            started = prepared.take().start(asked);
        } catch (IOException failed) {
            throw ContainerException.of(failed);
        }
        return watched(started, complete, verb, RunningContainer::new);
    }

    /** {@return a container that outlives this JVM, running and recorded} */
    static AttachedContainer detached(ContainerSpec spec, Function<ContainerSpec, Request> request) throws IOException {
        try {
            var process = spec.process();
            var resolved = spec.process(p -> p.withStdin(process.stdin().map(s -> InheritedStream.resolved(s, 0)))
                    .withStdout(process.stdout().map(s -> InheritedStream.resolved(s, 1)))
                    .withStderr(process.stderr().map(s -> InheritedStream.resolved(s, 2))));
            var unenforced = Engine.shared().launchDetached(request.apply(resolved));
            return AttachedContainer.of(spec.supervision().name().orElseThrow(), true, unenforced);
        } catch (IOException failed) {
            throw ContainerException.of(failed);
        }
    }

    private static <P extends RunningProcess> P watched(
            Started started, ContainerSpec spec, Verb verb, Function<Started, P> face) throws IOException {
        if (started.cgroup() != null && verb != Verb.RUN) {
            started.cgroup().keepUsage();
        }
        var process = face.apply(started);
        try {
            Engine.beginning().watch(started, spec, verb.waits());
            return process;
        } catch (IOException | RuntimeException | Error failed) {
            try {
                process.letGo();
            } catch (IOException | RuntimeException | Error alsoFailed) {
                failed.addSuppressed(alsoFailed);
            }
            throw failed;
        }
    }
}

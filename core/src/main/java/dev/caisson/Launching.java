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

/** What all ways to start a command have in common: its streams, and that it is watched from the beginning. */
final class Launching {
    /** What somebody does with a command. */
    enum Verb {
        RUN,
        CAPTURE,
        START;

        /** {@return whether the caller does nothing but wait for its end} */
        boolean waits() {
            return this != START;
        }
    }

    private Launching() {}

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
        var more = new LinkedHashMap<>(process.descriptors());
        more.replaceAll((number, source) -> InheritedStream.resolved(source, number));
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

    /** {@return a launched command, watched} */
    static RunningContainer watched(Started started, ContainerSpec spec, Verb verb) throws IOException {
        if (started.cgroup() != null && verb != Verb.RUN) {
            started.cgroup().keepUsage();
        }
        var container = new RunningContainer(started);
        try {
            Engine.beginning().watch(started.process(), spec, verb.waits());
            return container;
        } catch (IOException | RuntimeException | Error failed) {
            try {
                container.letGo();
            } catch (IOException | RuntimeException | Error alsoFailed) {
                failed.addSuppressed(alsoFailed);
            }
            throw failed;
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.Launching.Verb;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.spec.Usage;
import dev.caisson.engine.KeptFiles;
import dev.caisson.engine.PreparedLaunch;
import dev.caisson.engine.Request;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.PreparedLaunches;
import dev.caisson.path.InsidePath;
import dev.caisson.spec.Join;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.Path;
import java.util.List;

/** What {@code prepare} returns. */
final class PreparedContainer implements Container.Prepared {
    private final PreparedLaunch launch;
    private final ContainerSpec spec;
    private final List<String> command;
    private final PreparedLaunches plans;
    private final Join.Held held;

    /** @param plans of the same builder */
    PreparedContainer(PreparedLaunch launch, ContainerSpec spec, List<String> command, PreparedLaunches plans) {
        this.launch = launch;
        this.spec = spec;
        this.command = command;
        this.plans = plans;
        this.held = launch::duplicate;
    }

    @Override
    public long pid() {
        return launch.pid();
    }

    @Override
    public boolean isWaiting() {
        return launch.isWaiting();
    }

    /** {@return the process, for who joins its namespaces; equal each time} */
    Join.Held held() {
        return held;
    }

    private KeptFiles files() {
        return launch.files()
                .orElseThrow(() -> new IllegalStateException("fs contradicts a container without a root of its own: its"
                        + " files are the host's; prepare it with lower(...) or rootfs(...)"));
    }

    @Override
    public FileSystem fs() {
        return files().fileSystem();
    }

    @Override
    public void copyIn(Path source, String target) throws IOException {
        files().fileSystem().copyIn(source, InsidePath.check("copyIn", target));
    }

    @Override
    public Usage usage() throws IOException {
        var cgroup = launch.cgroup();
        return cgroup.isEmpty() ? Usage.none() : cgroup.get().usage();
    }

    @Override
    public void update(Limits limits) throws IOException {
        launch.cgroup()
                .orElseThrow(
                        () -> new IllegalStateException("update: this container has no cgroup of its own; prepare it"
                                + " with a limit, or limits(Limits.none())"))
                .update(limits);
    }

    @Override
    public List<String> unenforced() {
        return launch.unenforced();
    }

    @Override
    public Container start() throws IOException {
        return Launching.start(Verb.START, spec, complete -> new Request(complete, command, plans), () -> launch);
    }

    @Override
    public void close() throws IOException {
        launch.close();
    }

    @Override
    public String toString() {
        return "Prepared[pid " + pid() + ", " + command + "]";
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.sys.Fd;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/**
 * Clones children that run a {@link SyscallProgram} and end in an execve. Thread-safe; a launch occupies its thread until
 * the child's execve, a fraction of a millisecond as a rule, and cannot be interrupted.
 */
public final class Launcher implements LaunchService, AutoCloseable {
    private final LaunchMemoryPool memories = new LaunchMemoryPool();
    private final DirectLauncher direct = new DirectLauncher(memories);
    private final Zygote zygote = new Zygote(direct, memories);
    private final ShimImage shims = new ShimImage();

    /** {@return the clone3 call of a launch, as strace prints it} */
    public static String describe(Launch.Mode mode, long flags, boolean intoCgroup) {
        return CloneCall.describe(
                flags
                        | switch (mode) {
                            case DIRECT -> DirectLauncher.FLAGS;
                            case ISOLATED -> Zygote.FLAGS;
                        },
                intoCgroup);
    }

    /**
     * Launches a child and waits for its execve.
     *
     * @throws LinuxException if clone3 or one of the launcher's own calls is refused
     * @throws IOException what a {@link Gate} threw
     */
    public Outcome launch(Launch launch) throws IOException {
        return launch(launch, OptionalLong.empty());
    }

    /**
     * Launches a child and waits for its execve, or until a point in time, when an isolated child is killed: it is returned
     * then as one that has ended.
     *
     * @param deadline by the clock of System.nanoTime
     */
    @Override
    public Outcome launch(Launch launch, OptionalLong deadline) throws IOException {
        return switch (launch.mode()) {
            case DIRECT ->
                launch.program().takes(SyscallProgram.ZYGOTE)
                        ? zygote.launchDirectly(launch)
                        : direct.launch(launch.program(), launch.flags(), launch.cgroup(), launch.descriptors());
            case ISOLATED -> zygote.launch(launch, deadline);
        };
    }

    /** Begins to start the process that clones isolated children. Should that fail, whoever needs it tries again, and tells. */
    public void begin() {
        zygote.begin();
    }

    /** Starts the process that clones isolated children now, and not with the first of them; or waits until it is started. */
    public void start() throws IOException {
        zygote.start();
    }

    /**
     * Has directories removed when this JVM ends, however that is, after all children are gone.
     *
     * @param directories the lowest first; they must be empty by then, as cgroups are
     * @return what takes it back; to be ended when they are removed
     */
    public Ward removing(List<Path> directories) throws IOException {
        return zygote.removing(directories);
    }

    /**
     * Starts the supervisor of a container that is to outlive this JVM.
     *
     * @param directory where it records what becomes of the container; this, as the lock, stays the caller's
     * @param lock a lock on a file there, which it holds from now on for as long as it lives
     */
    public Shim startShim(Fd directory, Fd lock) throws IOException {
        return Shim.start(this, shims, directory, lock);
    }

    /** {@return whether no child lives that is watched over} */
    public boolean isIdle() {
        return zygote.isIdle();
    }

    /**
     * Ends the process that clones, with it all isolated children that live, and frees the memory kept for later launches.
     * Launches under way are not disturbed.
     */
    @Override
    public void close() {
        zygote.close();
        shims.close();
        memories.close();
    }
}

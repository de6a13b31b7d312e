// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.cgroups.spec.OutOfMemory;
import dev.caisson.cgroups.spec.Usage;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** What a command wrote, and how it ended. Immutable. */
public final class Output {
    private final Exit exit;
    private final ContainerProcess.Resources resources;
    private final Usage usage;
    private final Optional<OutOfMemory> outOfMemory;
    private final byte[] stdout;
    private final byte[] stderr;
    private final boolean truncated;

    Output(
            Exit exit,
            ContainerProcess.Resources resources,
            Usage usage,
            Optional<OutOfMemory> outOfMemory,
            byte[] stdout,
            byte[] stderr,
            boolean truncated) {
        this.exit = exit;
        this.resources = resources;
        this.usage = usage;
        this.outOfMemory = outOfMemory;
        this.stdout = stdout;
        this.stderr = stderr;
        this.truncated = truncated;
    }

    /** {@return how the command ended} */
    public Exit exit() {
        return exit;
    }

    /** {@return what the command, and those of its children that it waited for, used} For all of the container, see {@link #usage}. */
    public ContainerProcess.Resources resources() {
        return resources;
    }

    /**
     * {@return what everything in the container used until its end, such as {@code usage().memoryPeakBytes()} and {@code
     * usage().cpuTime()}} As its cgroup counted it; all empty if it had none of its own: any limit, or {@code
     * limits(Limits.none())}, gives it one.
     */
    public Usage usage() {
        return usage;
    }

    /** {@return what the out-of-memory killer did to it, if anything: whose limit it was, and who was killed} */
    public Optional<OutOfMemory> outOfMemory() {
        return outOfMemory;
    }

    /** {@return a copy of what it wrote to standard output, up to the cap} */
    public byte[] stdout() {
        return stdout.clone();
    }

    /** {@return a copy of what it wrote to standard error, up to the cap} */
    public byte[] stderr() {
        return stderr.clone();
    }

    /** {@return standard output as UTF-8, without the line ends at its end} */
    public String text() {
        return new String(stdout, StandardCharsets.UTF_8).stripTrailing();
    }

    /** {@return standard error as UTF-8, without the line ends at its end} */
    public String errorText() {
        return new String(stderr, StandardCharsets.UTF_8).stripTrailing();
    }

    /** {@return whether it wrote more to one of the streams than was kept} */
    public boolean isTruncated() {
        return truncated;
    }

    /**
     * {@return this, if the command was a success}
     *
     * @throws ExitException if not; its message has the end of standard error
     */
    public Output orThrow() throws ExitException {
        if (!exit.isSuccess()) {
            throw new ExitException(exit, outOfMemory, errorText());
        }
        return this;
    }

    @Override
    public String toString() {
        return "Output[" + exit + ", " + stdout.length + " and " + stderr.length + " bytes]";
    }
}

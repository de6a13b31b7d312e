// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.Arch;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.child.Encoder;
import dev.caisson.linux.child.Launch;
import dev.caisson.linux.child.Launcher;
import dev.caisson.linux.child.Outcome;
import dev.caisson.linux.child.Step;
import dev.caisson.linux.mount.ContextLog;
import dev.caisson.linux.sys.Files;
import dev.caisson.overlay.mount.Diagnosis;
import dev.caisson.overlay.mount.OverlayMounter.UpperPaths;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Optional;

/**
 * Everything that can be said of a launch that a step's refusal ended. File systems say more than an errno to whoever reads
 * their context; so a launch that failed there is made once more, up to that step, to read it. A launch that works pays
 * nothing for that.
 */
public final class Refusal {
    private static final int MOST = 1 << 14;

    private Refusal() {}

    /**
     * {@return the message for a step that the kernel refused}
     *
     * @param cause if it is known already
     */
    public static String text(
            Launcher launcher, Launch launch, LaunchPlan plan, Outcome.ChildFailure failure, Optional<String> cause) {
        var better = plan.input().spec().root().source() instanceof Root.Layers(var overlay)
                        && LaunchTask.MERGE_LAYERS.isOf(failure.step())
                ? Diagnosis.of(
                        overlay.lower(),
                        overlay.upper().map(u -> new UpperPaths(HostPath.of(u.directory()), HostPath.of(u.work()))),
                        failure.errno(),
                        plan.input().inUserNamespace())
                : Optional.<String>empty();
        return FailureText.of(
                failure.step(), failure.errno(), words(launcher, launch, failure), cause.or(() -> better));
    }

    private static String words(Launcher launcher, Launch launch, Outcome.ChildFailure failure) {
        if (failure.index().isEmpty() || !speaks(failure.step())) {
            return "";
        }
        try (var pipe = Files.pipe()) {
            var descriptors = new HashMap<>(launch.descriptors());
            descriptors.put(Slots.WORDS, pipe.writer().number());
            var program = launch.program().program().sayingWhy(failure.index().getAsInt(), Slots.WORDS);
            var _ = launcher.launch(new Launch(
                    Encoder.encode(program, Arch.host()),
                    launch.mode(),
                    launch.flags(),
                    launch.cgroup(),
                    descriptors,
                    launch.gates()));
            pipe.writer().close();
            return read(pipe);
        } catch (IOException sayNoMore) {
            return ""; // The refusal itself is known, and is what matters.
        }
    }

    /** {@return whether a step is one of a file system's context, which keeps a log} */
    private static boolean speaks(Step step) {
        return step.operation() instanceof Step.Invoke(var call, var _)
                && (call.syscall() == Syscall.FSCONFIG || call.syscall() == Syscall.FSMOUNT);
    }

    private static String read(Files.Pipe pipe) throws LinuxException {
        var all = new StringBuilder();
        try (var arena = Arena.ofConfined()) {
            var chunk = arena.allocate(MOST);
            int n;
            while ((n = Files.read(pipe.reader(), chunk)) > 0) {
                all.append(new String(chunk.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8));
            }
        }
        return ContextLog.text(all.toString());
    }
}

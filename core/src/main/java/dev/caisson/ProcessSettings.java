// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import com.google.errorprone.annotations.CheckReturnValue;
import dev.caisson.launch.ImmutableContainerSpec;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.Stdio;
import dev.caisson.spec.UserSpec;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** How the command starts: environment, identity, streams, time. */
@CheckReturnValue
abstract class ProcessSettings extends RootSettings {

    ProcessSettings(ImmutableContainerSpec spec) {
        super(spec);
    }

    /** A variable of the command's environment, which is not the host's. */
    public ContainerBuilder environment(String name, String value) {
        if (noNul("environment", name).isEmpty() || name.contains("=")) {
            throw new IllegalArgumentException("environment: \"" + name + "\" is not the name of a variable");
        }
        var all = new LinkedHashMap<>(spec.environment());
        all.put(name, noNul("environment", value));
        return with(s -> s.withEnvironment(all));
    }

    public ContainerBuilder environment(Map<String, String> variables) {
        var all = with(s -> s);
        for (var variable : variables.entrySet()) {
            all = all.environment(variable.getKey(), variable.getValue());
        }
        return all;
    }

    /** The directory inside in which the command starts; default: the root. */
    public ContainerBuilder workingDirectory(String directory) {
        return with(s -> s.withWorkingDirectory(inside("workingDirectory", directory)));
    }

    /** What the command sees as its own name. */
    public ContainerBuilder argv0(String name) {
        return with(s -> s.withArgv0(noNul("argv0", name)));
    }

    /** Whom the command runs as: {@code "name"}, {@code "1000"}, {@code "name:group"}; names as the container knows them. */
    public ContainerBuilder user(String user) {
        return with(s -> s.withUser(UserSpec.parse(user)));
    }

    public ContainerBuilder user(int uid, int gid) {
        return with(s -> s.withUser(UserSpec.of(uid, gid)));
    }

    /** Supplementary groups by name or number. */
    public ContainerBuilder groups(String... groups) {
        return with(s -> s.withGroups(groups));
    }

    /** The file mode creation mask; default 022. */
    public ContainerBuilder umask(int mask) {
        return with(s -> s.withUmask(within("umask", mask, 0, 0777)));
    }

    /** The nice value, -20 to 19; lowering it takes CAP_SYS_NICE. */
    public ContainerBuilder nice(int nice) {
        return with(s -> s.withNice(within("nice", nice, -20, 19)));
    }

    /** How eagerly the out-of-memory killer takes it, -1000 to 1000; lowering it takes CAP_SYS_RESOURCE. */
    public ContainerBuilder oomScoreAdj(int score) {
        return with(s -> s.withOomScoreAdj(within("oomScoreAdj", score, -1000, 1000)));
    }

    public ContainerBuilder rlimit(Rlimit limit) {
        var others = spec.rlimits().stream()
                .filter(l -> l.resource() != limit.resource())
                .toList();
        return with(s -> s.withRlimits(plus(others, limit)));
    }

    /** Puts an init before the command, as PID 1: it reaps orphans, passes signals on, and ends when the command does. */
    public ContainerBuilder init() {
        return with(s -> s.withInit(true));
    }

    public ContainerBuilder stdin(Stdio stdio) {
        if (stdio instanceof Stdio.Memory) {
            throw new IllegalArgumentException("stdin: " + stdio + " is for output; use Stdio.bytes");
        }
        return with(s -> s.withStdin(stdio));
    }

    public ContainerBuilder stdout(Stdio stdio) {
        return with(s -> s.withStdout(output("stdout", stdio)));
    }

    public ContainerBuilder stderr(Stdio stdio) {
        return with(s -> s.withStderr(output("stderr", stdio)));
    }

    private static Stdio output(String name, Stdio stdio) {
        if (stdio instanceof Stdio.Bytes) {
            throw new IllegalArgumentException(name + ": " + stdio + " is for input; use Stdio.memory");
        }
        return stdio;
    }

    /** A further descriptor for the command; all others but the standard streams are closed. */
    public ContainerBuilder descriptor(int number, Stdio source) {
        var _ = within("descriptor", number, 3, 1023);
        if (!(source instanceof Stdio.File || source instanceof Stdio.Bytes || source instanceof Stdio.Discard)) {
            throw new IllegalArgumentException(
                    "descriptor " + number + ": " + source + "; a file, bytes or discard is possible");
        }
        var all = new LinkedHashMap<>(spec.descriptors());
        all.put(number, source);
        return with(s -> s.withDescriptors(all));
    }

    /** Ends everything in the container when it is over; the exit then says so. */
    public ContainerBuilder timeout(Duration timeout) {
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("timeout: " + timeout + " is not positive");
        }
        return with(s -> s.withTimeout(timeout));
    }
}

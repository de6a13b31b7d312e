// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.Container;
import dev.caisson.ContainerBuilder;
import dev.caisson.linux.ByteUnit;
import dev.caisson.spec.Capability;
import dev.caisson.spec.Mount;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The builder as command-line options, shared by {@code run} and {@code explain}. */
final class ContainerOptions {
    @Option(names = "--lower", paramLabel = "DIR", description = "a layer; repeatable, the topmost first")
    private List<Path> lower = new ArrayList<>();

    @Option(names = "--rootfs", paramLabel = "DIR", description = "a directory as the root")
    private @Nullable Path rootfs;

    @Option(names = "--new-pid")
    private boolean newPid;

    @Option(names = "--new-net")
    private boolean newNet;

    @Option(names = "--new-uts")
    private boolean newUts;

    @Option(names = "--new-ipc")
    private boolean newIpc;

    @Option(names = "--new-user")
    private boolean newUser;

    @Option(names = "--new-cgroup")
    private boolean newCgroup;

    @Option(names = "--new-time")
    private boolean newTime;

    @Option(names = "--sandbox", description = "for code nobody trusts: every namespace, no capability, no network")
    private boolean sandbox;

    @Option(names = "--init", description = "an init as PID 1")
    private boolean init;

    @Option(names = "--bind", paramLabel = "SRC:DST[:ro]", description = "show a path of the host inside")
    private List<String> binds = new ArrayList<>();

    @Option(names = "--tmpfs", paramLabel = "DIR", description = "an empty file system in memory")
    private List<String> tmpfs = new ArrayList<>();

    @Option(names = "--hostname", paramLabel = "NAME")
    private @Nullable String hostname;

    @Option(names = "--user", paramLabel = "USER[:GROUP]")
    private @Nullable String user;

    @Option(names = "--cap-add", paramLabel = "CAP", split = ",")
    private List<String> capAdd = new ArrayList<>();

    @Option(names = "--cap-drop", paramLabel = "CAP", split = ",", description = "a capability, or ALL")
    private List<String> capDrop = new ArrayList<>();

    @Option(names = "--memory-max", paramLabel = "256M")
    private @Nullable String memoryMax;

    @Option(names = "--cpus", paramLabel = "1.5")
    private @Nullable Double cpus;

    @Option(names = "--pids-max", paramLabel = "N")
    private @Nullable Long pidsMax;

    @Option(names = "--timeout", paramLabel = "SECONDS")
    private @Nullable Double timeout;

    @Option(names = "--read-only", description = "the root cannot be written")
    private boolean readOnly;

    @Option(names = "--env", paramLabel = "NAME=VALUE")
    private List<String> environment = new ArrayList<>();

    @Parameters(paramLabel = "CMD", arity = "1..*", description = "the command and its arguments, after --")
    private List<String> command = new ArrayList<>();

    List<String> command() {
        return command;
    }

    /** {@return whether a variable of the environment was given} */
    boolean sets(String variable) {
        return environment.stream().anyMatch(given -> given.startsWith(variable + "="));
    }

    /** With no option at all this is the sandbox over the host's root. */
    ContainerBuilder builder() {
        boolean namesNothing = !newPid && !newNet && !newUts && !newIpc && !newUser && !newCgroup && !newTime;
        boolean ownRoot = rootfs != null || !lower.isEmpty();
        var builder = sandbox || namesNothing && !ownRoot ? Container.sandbox() : Container.builder();
        builder = rootfs != null ? builder.rootfs(rootfs) : builder.lower(ownRoot ? lower : List.of(Path.of("/")));
        builder = namespaces(builder);
        for (String bind : binds) {
            builder = bind(builder, bind);
        }
        for (String directory : tmpfs) {
            builder = builder.mount(Mount.tmpfs(directory));
        }
        builder = limits(builder);
        for (String variable : environment) {
            int equals = variable.indexOf('=');
            if (equals < 1) {
                throw new IllegalArgumentException("--env: \"" + variable + "\" is not NAME=VALUE");
            }
            builder = builder.environment(variable.substring(0, equals), variable.substring(equals + 1));
        }
        if (hostname != null) {
            builder = builder.hostname(hostname);
        }
        if (user != null) {
            builder = builder.user(user);
        }
        builder = capabilities(builder);
        builder = init ? builder.init() : builder;
        return readOnly ? builder.readOnly() : builder;
    }

    private ContainerBuilder namespaces(ContainerBuilder builder) {
        var b = builder;
        b = newPid ? b.newPid() : b;
        b = newNet ? b.newNetwork() : b;
        b = newUts ? b.newUts() : b;
        b = newIpc ? b.newIpc() : b;
        b = newUser ? b.newUser() : b;
        b = newCgroup ? b.newCgroup() : b;
        return newTime ? b.newTime() : b;
    }

    private static ContainerBuilder bind(ContainerBuilder builder, String bind) {
        String[] parts = bind.split(":");
        boolean readOnly = parts.length == 3 && parts[2].equals("ro");
        if (parts.length < 2 || parts.length > 3 || parts.length == 3 && !readOnly) {
            throw new IllegalArgumentException("--bind: \"" + bind + "\" is not SRC:DST or SRC:DST:ro");
        }
        return readOnly
                ? builder.bind(Path.of(parts[0]), parts[1], Mount.Option.READ_ONLY)
                : builder.bind(Path.of(parts[0]), parts[1]);
    }

    private ContainerBuilder limits(ContainerBuilder builder) {
        var b = builder;
        b = memoryMax != null ? b.memoryMax(bytes("--memory-max", memoryMax), ByteUnit.B) : b;
        b = cpus != null ? b.cpus(cpus) : b;
        b = pidsMax != null ? b.pidsMax(pidsMax) : b;
        return timeout != null ? b.timeout(Duration.ofNanos(Math.round(timeout * 1e9))) : b;
    }

    static long bytes(String option, String size) {
        var unit = switch (Character.toUpperCase(size.charAt(size.length() - 1))) {
            case 'K' -> ByteUnit.KB;
            case 'M' -> ByteUnit.MB;
            case 'G' -> ByteUnit.GB;
            default -> ByteUnit.B;
        };
        String number = unit == ByteUnit.B ? size : size.substring(0, size.length() - 1);
        try {
            return unit.toBytes(Long.parseLong(number));
        } catch (NumberFormatException notANumber) {
            throw new IllegalArgumentException(option + ": \"" + size + "\" is not a size such as 256M", notANumber);
        }
    }

    private ContainerBuilder capabilities(ContainerBuilder builder) {
        var b = builder;
        for (String name : capDrop) {
            b = name.equalsIgnoreCase("ALL")
                    ? b.dropCapabilities(Capability.values())
                    : b.dropCapabilities(Capability.of(name));
        }
        for (String name : capAdd) {
            b = b.addCapabilities(Capability.of(name));
        }
        return b;
    }
}

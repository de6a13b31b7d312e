// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.ContainerBuilder;
import dev.caisson.spec.Restart;
import java.io.IOException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Runs a command in a container; ends with its exit code, or 128 and the signal's number. */
@Command(
        name = "run",
        description = "Run a command in a container. Without options: a safe sandbox over this host's root.",
        mixinStandardHelpOptions = true)
final class RunExample implements Callable<Integer> {
    @Mixin
    private ContainerOptions options = new ContainerOptions();

    @Option(
            names = {"-i", "--interactive"},
            description = "pass the input on, by a pipe; with -t what is typed")
    private boolean interactive;

    @Option(
            names = {"-t", "--tty"},
            description = "a terminal in the container, as large as this one; TERM is passed on")
    private boolean tty;

    @Option(
            names = {"-d", "--detach"},
            description = "let it outlive this command, and print its name; see ps, exec, logs, stop and rm")
    private boolean detach;

    @Option(names = "--name", paramLabel = "NAME", description = "what a detached container is called")
    private @Nullable String name;

    @Option(
            names = "--restart",
            paramLabel = "POLICY",
            description = "no, on-failure[:MOST], always or unless-stopped: when a detached container is started again")
    private @Nullable String restart;

    @Override
    public Integer call() throws Exception {
        if (detach) {
            return detached();
        }
        if (name != null || restart != null) {
            throw new IllegalArgumentException("--name and --restart are for --detach");
        }
        if (tty) {
            return Attached.inTerminal(withTerm(options.builder()), options.command(), interactive);
        }
        return interactive
                ? Attached.reading(options.builder(), options.command())
                : options.builder().run(options.command()).shellCode();
    }

    private int detached() throws IOException {
        if (name == null) {
            throw new IllegalArgumentException(
                    "--detach: it requires a --name, by which ps, exec, logs, stop and rm find it");
        }
        if (tty || interactive) {
            throw new IllegalArgumentException("--detach contradicts -i and -t: use exec -it once it runs");
        }
        var builder = options.builder().name(name).detached().restart(policy(restart));
        try (var _ = builder.start(options.command())) {
            System.out.println(name);
        }
        return 0;
    }

    private static Restart policy(@Nullable String text) {
        if (text == null || text.equals("no")) {
            return Restart.never();
        }
        String[] parts = text.split(":", 2);
        try {
            return switch (parts[0]) {
                case "on-failure" -> Restart.onFailure(parts.length == 2 ? Integer.parseInt(parts[1]) : 0);
                case "always" -> Restart.always();
                case "unless-stopped" -> Restart.unlessStopped();
                default -> throw new NumberFormatException(text);
            };
        } catch (NumberFormatException unknown) {
            throw new IllegalArgumentException(
                    "--restart: \"" + text + "\" is not no, on-failure[:MOST], always or unless-stopped", unknown);
        }
    }

    private ContainerBuilder withTerm(ContainerBuilder builder) {
        String term = System.getenv("TERM");
        return term == null || options.sets("TERM") ? builder : builder.environment("TERM", term);
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.Container;
import dev.caisson.linux.ByteUnit;
import dev.caisson.spec.Stdio;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Further commands in a running container, each in a cgroup of its own inside that of the container. */
@Command(
        name = "beside",
        description = "Run scripts in a running container, each with limits and an account of its own.",
        mixinStandardHelpOptions = true)
final class BesideExample implements Callable<Integer> {
    @Option(names = "--memory", paramLabel = "MB", description = "of each script (default ${DEFAULT-VALUE})")
    private long memory = 64;

    @Option(names = "--run", paramLabel = "SCRIPT", required = true, description = "for sh, in the running container")
    private List<String> scripts = new ArrayList<>();

    @Parameters(paramLabel = "CMD", arity = "1..*", description = "the container's own command")
    private List<String> command = new ArrayList<>();

    @Override
    public Integer call() throws Exception {
        var builder = Container.sandbox()
                .lower(Path.of("/"))
                .memoryMax(4 * memory, ByteUnit.MB)
                .stdin(Stdio.discard())
                .stdout(Stdio.inherit())
                .stderr(Stdio.inherit());
        try (var container = builder.start(command)) {
            for (String script : scripts) {
                var beside = container
                        .command("sh", "-c", script)
                        .memoryMax(memory, ByteUnit.MB)
                        .stdin(Stdio.discard())
                        .stdout(Stdio.inherit())
                        .stderr(Stdio.inherit());
                try (var process = beside.start()) {
                    var exit = process.waitFor();
                    System.out.println(
                            exit + ", peak of memory " + process.usage().memoryPeakBytes());
                }
            }
            return container.isAlive() ? 0 : 1;
        }
    }
}

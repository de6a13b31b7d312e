// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.seccomp.Filter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes each profile's program: NAME.bpf (struct sock_filter, native byte order) or, without --raw, NAME.txt (a listing). */
@Command(
        name = "compile",
        description = "Compile Docker or OCI profiles to filter programs.",
        mixinStandardHelpOptions = true)
final class SeccompCompileExample implements Callable<Integer> {
    @Mixin
    private ProfileOptions options = new ProfileOptions();

    @Option(names = "--raw", description = "Write NAME.bpf: struct sock_filter, 8 bytes each, native byte order.")
    private boolean raw;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "Where to; it is made if missing.")
    private Path out = Path.of(".");

    @Parameters(
            arity = "1..*",
            paramLabel = "PROFILE.json",
            description = "Profiles; \"standard\" is Docker's default.")
    private List<String> profiles = new ArrayList<>();

    @Override
    public Integer call() throws IOException {
        // All are compiled before the first is written: a bad profile leaves nothing behind.
        var filters = new HashMap<String, Filter>();
        for (String profile : profiles) {
            String name = Path.of(profile).getFileName().toString().replaceFirst("\\.json$", "");
            try {
                if (filters.put(name, options.policy(profile).compile()) != null) {
                    throw new IllegalArgumentException("two profiles would write " + name + ".bpf");
                }
            } catch (IllegalStateException tooLarge) {
                throw new IllegalStateException(profile + ": " + tooLarge.getMessage(), tooLarge);
            }
        }
        Files.createDirectories(out);
        for (var entry : filters.entrySet()) {
            var filter = entry.getValue();
            if (raw) {
                Files.write(
                        out.resolve(entry.getKey() + ".bpf"), filter.program().bytes());
            } else {
                Files.writeString(out.resolve(entry.getKey() + ".txt"), filter.listing());
            }
        }
        return 0;
    }
}

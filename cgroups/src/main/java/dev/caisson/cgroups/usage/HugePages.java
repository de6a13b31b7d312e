// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.usage;

import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limit.Amount;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The sizes of huge pages there are, which a running kernel does not change. */
public final class HugePages {
    private static final Pattern NAME = Pattern.compile("hugepages-(\\d{1,12})kB");
    private static final List<Size> SIZES = find();

    private HugePages() {}

    /** A size. @param name as file names spell it, such as {@code 2MB} */
    public record Size(long bytes, String name) {}

    /** {@return all of them} */
    public static List<Size> sizes() {
        return SIZES;
    }

    private static List<Size> find() {
        try (Stream<Path> files = Files.list(Path.of("/sys/kernel/mm/hugepages"))) {
            return files.map(file -> NAME.matcher(file.getFileName().toString()))
                    .filter(name -> name.matches())
                    .map(name -> Long.parseLong(name.group(1)) << 10)
                    .sorted()
                    .map(bytes -> new Size(bytes, new Limit.HugetlbMax(bytes, false, Amount.max()).pageSize()))
                    .toList();
        } catch (IOException | UncheckedIOException without) {
            return List.of(); // The kernel has none, or /sys is not mounted.
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.oom;

import dev.caisson.cgroups.text.FlatKeyed;
import dev.caisson.cgroups.usage.Reading;
import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalLong;

/** What one level of a hierarchy tells of memory that ran out; both versions do, by different files. */
public interface MemoryLevel {
    /** {@return processes of a cgroup and all below it that the out-of-memory killer took; empty if nobody counts} */
    OptionalLong kills(Path cgroup) throws IOException;

    /** {@return how often the limit of this very cgroup was met and could not be kept by reclaiming; empty if nobody counts} */
    OptionalLong fired(Path cgroup) throws IOException;

    /** {@return the limit, if there is one} */
    OptionalLong limitBytes(Path cgroup) throws IOException;

    /** {@return the most that was ever used} */
    OptionalLong peakBytes(Path cgroup) throws IOException;

    /** {@return the number of a key in a file} */
    static OptionalLong keyed(Path cgroup, String file, FlatKeyed key) throws IOException {
        try (var reading = Reading.once();
                var files = reading.open(cgroup)) {
            var text = files.text(file);
            return text.isPresent() ? key.parse(text.get()).get(0) : OptionalLong.empty();
        }
    }

    /** {@return the number that is the text of a file} */
    static OptionalLong number(Path cgroup, String file) throws IOException {
        try (var reading = Reading.once();
                var files = reading.open(cgroup)) {
            return files.number(file);
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.file;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * What control files said before they were written, so that of several writes the last of which is refused nothing stays. Not
 * thread-safe.
 */
public final class FormerValues {
    /** Files with a line per key, which is the first word of what is written, and what removes the line of a key. */
    private static final Map<String, String> WITHOUT_LINE = Map.ofEntries(
            Map.entry("io.max", "rbps=max wbps=max riops=max wiops=max"),
            Map.entry("io.latency", "target=0"),
            Map.entry("io.weight", "default"),
            Map.entry("io.bfq.weight", "default"),
            Map.entry("rdma.max", "hca_handle=max hca_object=max"),
            Map.entry("misc.max", "max"),
            Map.entry("dmem.max", "max"),
            Map.entry("blkio.bfq.weight_device", "default"),
            Map.entry("blkio.weight_device", "default"),
            Map.entry("blkio.throttle.read_bps_device", "0"),
            Map.entry("blkio.throttle.write_bps_device", "0"),
            Map.entry("blkio.throttle.read_iops_device", "0"),
            Map.entry("blkio.throttle.write_iops_device", "0"),
            Map.entry("net_prio.ifpriomap", "0"));

    /** A file, and in it a line. */
    private record Place(Path file, String key) {}

    /**
     * What a file said.
     *
     * @param writes what makes it say it again, in order
     */
    private record Former(Path file, String text, List<Write> writes) {}

    private final SequencedMap<Place, Former> formers = new LinkedHashMap<>();

    /** Remembers what a file says that is about to be written; what it said first counts. */
    void remember(Write write, Path directory) {
        if (write.file().equals("cpu.idle")) {
            // To be idle takes the weight away, so that it must be given back after that.
            for (String weight : List.of("cpu.weight", "cpu.shares")) {
                remember(new Write(write.option(), write.controller(), weight, ""), directory);
            }
        }
        for (String line : write.value().split("\n", -1)) {
            boolean devices = write.controller().equals("devices");
            String key = WITHOUT_LINE.containsKey(write.file()) ? line.strip().split(" ", 2)[0] : "";
            var place = new Place(directory.resolve(devices ? "devices.list" : write.file()), key);
            if (!formers.containsKey(place)) {
                read(place.file)
                        .ifPresent(text -> formers.put(place, new Former(place.file, text, writes(write, key, text))));
            }
        }
    }

    private static Optional<String> read(Path file) {
        try {
            return Optional.of(ControlFile.read(file));
        } catch (LinuxException notToBeRead) {
            // It does not exist, is gone, or only takes commands: then there is nothing to go back to.
            return Optional.empty();
        }
    }

    /** {@return what makes a file say again what it said} */
    static List<Write> writes(Write written, String key, String text) {
        String file = written.file();
        if (written.controller().equals("devices")) {
            var writes = new ArrayList<Write>();
            writes.add(with(written, "devices.deny", "a *:* rwm"));
            text.lines().forEach(line -> writes.add(with(written, "devices.allow", line)));
            return writes;
        }
        if (!key.isEmpty()) {
            String without = key.equals("default") ? "100" : WITHOUT_LINE.getOrDefault(file, "");
            return List.of(with(
                    written,
                    file,
                    text.lines()
                            .filter(line -> line.startsWith(key + " "))
                            .findFirst()
                            .orElse(key + " " + without)));
        }
        return switch (file) {
            case "memory.oom_control" ->
                List.of(with(
                        written,
                        file,
                        text.lines()
                                .filter(line -> line.startsWith("oom_kill_disable "))
                                .findFirst()
                                .map(line -> line.substring(line.indexOf(' ') + 1))
                                .orElse("0")));
            // "root invalid (...)" is what was asked for, and why it is not so.
            case "cpuset.cpus.partition" -> List.of(with(written, file, text.split(" ", 2)[0]));
            // An empty write is none.
            default -> List.of(with(written, file, text.isEmpty() ? "\n" : text));
        };
    }

    private static Write with(Write written, String file, String value) {
        return new Write(written.option(), written.controller(), file, value);
    }

    /**
     * Makes all files say again what they said, the last written first.
     *
     * @param failed is told of what could not be restored
     */
    public void restore(Throwable failed) {
        var again = new ArrayList<Former>();
        for (var former : formers.sequencedValues().reversed()) {
            // Where two files bound each other, the one may come only after the other.
            if (!restore(former, failed, true)) {
                again.add(former);
            }
        }
        again.forEach(former -> restore(former, failed, false));
        formers.clear();
    }

    private static boolean restore(Former former, Throwable failed, boolean first) {
        if (read(former.file).filter(former.text::equals).isPresent()) {
            return true; // What was refused changed nothing, and would be refused again.
        }
        for (var write : former.writes) {
            Path file = former.file.resolveSibling(write.file());
            try {
                ControlFile.write(file, write.value());
            } catch (LinuxException refused) {
                if (first && refused.errno().equals(Errno.EINVAL)) {
                    return false;
                }
                failed.addSuppressed(Refusal.ofWrite(write, file, refused));
            }
        }
        return true;
    }
}

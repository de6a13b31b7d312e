// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.sys.Kernel;
import dev.caisson.linux.sys.ProcLines;
import dev.caisson.spec.Capability;
import dev.caisson.spec.IdMap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Reads {@link HostFacts} of this process. */
public final class Hosts {
    private static final String MEMORY = "MemTotal:";
    private static final String KILOBYTES = " kB";

    private Hosts() {}

    public static HostFacts ofThisProcess(Kernel kernel) throws IOException {
        long uid = 0;
        long gid = 0;
        long effective = 0;
        for (String line : ProcLines.of(Path.of("/proc/self/status"))) {
            String[] fields = line.split("\t");
            switch (fields[0]) {
                case "Uid:" -> uid = Long.parseLong(fields[2]);
                case "Gid:" -> gid = Long.parseLong(fields[2]);
                case "CapEff:" -> effective = Long.parseUnsignedLong(fields[1], 16);
                default -> {}
            }
        }
        int last =
                Integer.parseInt(ProcFile.line("/proc/sys/kernel/cap_last_cap").orElse("40"));
        return new HostFacts(
                uid,
                gid,
                new IdMap(ids("uid_map"), ids("gid_map")),
                capabilities(effective),
                subordinate("/etc/subuid", uid),
                subordinate("/etc/subgid", uid),
                last,
                memory(),
                OpenFilesLimit.original(),
                kernel::has);
    }

    private static List<IdMap.Range> ids(String file) throws IOException {
        var ranges = new ArrayList<IdMap.Range>();
        for (String line : ProcLines.of(Path.of("/proc/self", file))) {
            String[] numbers = line.strip().split(" +");
            ranges.add(new IdMap.Range(
                    Long.parseLong(numbers[0]), Long.parseLong(numbers[1]), Long.parseLong(numbers[2])));
        }
        return ranges;
    }

    /** The first line of proc_meminfo(5): {@code MemTotal:  24689000 kB}. */
    private static long memory() throws IOException {
        String line = ProcFile.line("/proc/meminfo").orElse("");
        if (!line.startsWith(MEMORY) || !line.endsWith(KILOBYTES)) {
            throw new IOException("/proc/meminfo begins with \"" + line + "\", not with the memory of this host");
        }
        return Long.parseLong(line.substring(MEMORY.length(), line.length() - KILOBYTES.length())
                        .strip())
                * 1024;
    }

    private static Set<Capability> capabilities(long mask) {
        var set = EnumSet.noneOf(Capability.class);
        for (var capability : Capability.values()) {
            if ((mask & 1L << capability.ordinal()) != 0) {
                set.add(capability);
            }
        }
        return set;
    }

    /** {@return the ranges of subuid(5) that belong to a user, by name or number} */
    static List<IdMap.Range> subordinate(String file, long uid) throws IOException {
        var ranges = new ArrayList<IdMap.Range>();
        Path path = Path.of(file);
        if (!Files.isReadable(path)) {
            return ranges;
        }
        String name = userName(uid);
        for (String line : ProcLines.of(path)) {
            String[] fields = line.strip().split(":");
            if (fields.length == 3 && (fields[0].equals(name) || fields[0].equals(Long.toString(uid)))) {
                ranges.add(new IdMap.Range(0, Long.parseLong(fields[1]), Long.parseLong(fields[2])));
            }
        }
        return ranges;
    }

    private static String userName(long uid) throws IOException {
        for (String line : ProcLines.of(Path.of("/etc/passwd"))) {
            String[] fields = line.split(":");
            if (fields.length > 2 && fields[2].equals(Long.toString(uid))) {
                return fields[0];
            }
        }
        return Long.toString(uid);
    }
}

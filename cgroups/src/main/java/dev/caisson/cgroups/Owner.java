// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import dev.caisson.linux.call.FileNames;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The process that made a cgroup, as the cgroup's name tells it, so that what a crashed one left behind can be recognised.
 *
 * @param startTime in clock ticks after boot: with it a pid is unique
 * @param boot the beginning of the boot id
 * @param pidNamespace the inode of the PID namespace; pids of another one mean nothing here
 */
record Owner(long pid, long startTime, String boot, long pidNamespace) {
    private static final Pattern NAME = Pattern.compile("caisson-(\\d+)-(\\d+)-([0-9a-f]{8})-(\\d+)-\\d+");
    private static final int START_TIME_AFTER_NAME = 20;

    static Owner ofThisProcess() {
        return ThisProcess.OWNER;
    }

    /** Read once, when it is first asked for. */
    private static final class ThisProcess {
        private static final Owner OWNER = read();

        private static Owner read() {
            try {
                long pid = ProcessHandle.current().pid();
                return new Owner(pid, startTime(pid).orElseThrow(), bootId(), namespace());
            } catch (IOException failed) {
                throw new UncheckedIOException("cgroups are named after this process, which requires /proc", failed);
            }
        }
    }

    /** {@return the owner that a cgroup's name tells, if it is a name of ours} */
    static Optional<Owner> parse(String cgroup) {
        var match = NAME.matcher(cgroup);
        try {
            return match.matches()
                    ? Optional.of(new Owner(
                            Long.parseLong(match.group(1)),
                            Long.parseLong(match.group(2)),
                            match.group(3),
                            Long.parseLong(match.group(4))))
                    : Optional.empty();
        } catch (NumberFormatException tooLong) {
            return Optional.empty();
        }
    }

    /** {@return the name of a cgroup of its} */
    String name(long number) {
        return "caisson-" + pid + "-" + startTime + "-" + boot + "-" + pidNamespace + "-" + number;
    }

    /** {@return whether it certainly runs no more} Of another PID namespace nothing is certain. */
    boolean isGone() throws IOException {
        if (pidNamespace != namespace()) {
            return false;
        }
        return !boot.equals(bootId())
                || startTime(pid).filter(t -> t == startTime).isEmpty();
    }

    private static Optional<Long> startTime(long pid) throws IOException {
        try {
            String stat = FileNames.decode(Files.readAllBytes(Path.of("/proc/" + pid + "/stat")));
            // The name in parentheses may have blanks and parentheses in it.
            String[] after = stat.substring(stat.lastIndexOf(')') + 1).split(" ");
            return Optional.of(Long.parseLong(after[START_TIME_AFTER_NAME]));
        } catch (NoSuchFileException gone) {
            return Optional.empty();
        } catch (IOException ending) {
            if (Files.exists(Path.of("/proc/" + pid))) {
                throw ending;
            }
            return Optional.empty();
        }
    }

    private static String bootId() throws IOException {
        return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).substring(0, 8);
    }

    private static long namespace() throws IOException {
        String link = Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString();
        return Long.parseLong(link.substring(link.indexOf('[') + 1, link.length() - 1));
    }
}

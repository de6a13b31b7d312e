// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.hierarchy.Hierarchy;
import dev.caisson.cgroups.spec.BlockDevice;
import dev.caisson.testkit.Need;
import java.io.IOException;
import java.nio.file.Files;
import java.util.stream.Stream;

/** The views of this machine's cgroups that tests run in, and processes to put into them. */
final class Cgroups {
    private Cgroups() {}

    /** A part of this machine's hierarchies. */
    enum View {
        ALL,
        VERSION_2,
        VERSION_1;

        /** {@return it, or skips the test where this machine has nothing of it} */
        CgroupMounts mounts() throws IOException {
            var all = CgroupMounts.ofThisProcess();
            var part = switch (this) {
                case ALL -> all;
                case VERSION_2 -> all.unifiedOnly();
                case VERSION_1 -> all.legacyOnly();
            };
            boolean writable =
                    part.hierarchies().stream().map(Hierarchy::mountPoint).anyMatch(Files::isWritable);
            if (!writable
                    || this == VERSION_1 && part.legacyHierarchy("freezer").isEmpty()) {
                skip(
                        this == VERSION_1 ? Need.CGROUP_V1 : Need.CGROUP_V2,
                        "this machine has no " + this + " cgroups that can be written");
            }
            return part;
        }

        /** {@return it with a controller, or skips the test} */
        CgroupMounts with(String controller) throws IOException {
            var mounts = mounts();
            if (!mounts.isUnified(controller)
                    && mounts.legacyHierarchy(controller).isEmpty()) {
                skip(Need.CONTROLLER, "in " + this + " there is no " + controller + " controller here");
            }
            return mounts;
        }
    }

    static void skip(Need need, String reason) {
        throw need.skipped(reason);
    }

    /** {@return the disk that a file is on, or skips the test} */
    static BlockDevice disk(java.nio.file.Path file) {
        try {
            return BlockDevice.of("ioMax", file);
        } catch (IllegalArgumentException notOnADisk) {
            throw Need.DISK.skipped(notOnADisk.getMessage());
        }
    }

    /** {@return a shell that runs a script in a cgroup from its first line on} */
    static Process shell(Cgroup cgroup, String script) throws IOException {
        var process = new ProcessBuilder("/bin/sh", "-c", "read go; " + script)
                .redirectErrorStream(true)
                .start();
        try {
            cgroup.add(process.pid());
        } catch (IOException | RuntimeException refused) {
            process.destroyForcibly();
            throw refused;
        }
        process.getOutputStream().write('\n');
        process.getOutputStream().close();
        return process;
    }

    /** {@return what a file of a cgroup holds} */
    static String read(Cgroup cgroup, String controller, String file) throws IOException {
        return Files.readString(cgroup.directory(controller).orElseThrow().resolve(file))
                .strip();
    }

    /** {@return what it printed, when it has ended} */
    static String output(Process process) throws IOException, InterruptedException {
        String text = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        process.waitFor();
        return text;
    }

    /** {@return the state letter of a process in /proc} */
    static String state(long pid) throws IOException {
        try (Stream<String> lines = Files.lines(java.nio.file.Path.of("/proc/" + pid + "/status"))) {
            return lines.filter(l -> l.startsWith("State:")).findFirst().orElse("");
        }
    }
}

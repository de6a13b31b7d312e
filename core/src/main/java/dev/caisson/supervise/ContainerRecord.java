// SPDX-License-Identifier: Apache-2.0
package dev.caisson.supervise;

import dev.caisson.cgroups.Cgroup;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.launch.InsideSpec;
import dev.caisson.linux.call.HostPath;
import dev.caisson.spec.LogFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What is known of a detached container from its beginning, in the file {@code record} of its directory.
 *
 * @param boot the boot of the machine it was started in; pids of others mean nothing
 * @param cgroup its own, by name
 * @param cgroupParent the path below which that is, if not the default
 * @param logs what its output goes to: of standard output, of standard error
 * @param rootUid root of its user namespace, if the JVM may act as that
 * @param rootGid likewise
 * @param inside what it is like, for further commands
 */
public record ContainerRecord(
        String name,
        String boot,
        Instant createdAt,
        List<String> command,
        Optional<String> cgroup,
        Optional<String> cgroupParent,
        List<Optional<LogFile>> logs,
        OptionalLong rootUid,
        OptionalLong rootGid,
        Optional<InsideSpec> inside) {
    static final String FILE = "record";

    private static final String KIND = "caisson-container";
    private static final int VERSION = 1;

    public ContainerRecord {
        command = List.copyOf(command);
        logs = List.copyOf(logs);
    }

    byte[] encode() {
        var lines = Lines.of(KIND, VERSION)
                .with("name", name)
                .with("boot", boot)
                .with("created-at", Long.toString(createdAt.toEpochMilli()));
        command.forEach(argument -> lines.with("argument", argument));
        cgroup.ifPresent(c -> lines.with("cgroup", c));
        cgroupParent.ifPresent(c -> lines.with("cgroup-parent", c));
        for (int stream = 0; stream < logs.size(); stream++) {
            int number = stream;
            logs.get(stream).ifPresent(log -> {
                lines.with("log-" + number, HostPath.of(log.path()));
                lines.with("log-format-" + number, log.format().name());
                lines.with("log-max-bytes-" + number, Long.toString(log.maxBytes()));
                lines.with("log-files-" + number, Integer.toString(log.files()));
            });
        }
        rootUid.ifPresent(uid -> lines.with("root-uid", Long.toString(uid)));
        rootGid.ifPresent(gid -> lines.with("root-gid", Long.toString(gid)));
        inside.ifPresent(spec -> InsideText.put(lines, spec));
        return lines.encode();
    }

    /** {@return what the record in a container's directory says; empty if there is none, or it cannot be understood} */
    static Optional<ContainerRecord> read(Path directory) throws IOException {
        try {
            return parse(Files.readAllBytes(directory.resolve(FILE)));
        } catch (NoSuchFileException none) {
            return Optional.empty();
        }
    }

    /** {@return its own cgroup; empty if it has none, or none any more} */
    public Optional<Cgroup> openCgroup() throws IOException {
        if (cgroup.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(
                    cgroupParent.isPresent()
                            ? Cgroup.open(cgroupParent.get(), cgroup.get())
                            : Cgroup.open(cgroup.get()));
        } catch (CgroupException gone) {
            return Optional.empty();
        }
    }

    static Optional<ContainerRecord> parse(byte[] text) {
        return Lines.parse(text, KIND, VERSION)
                .filter(lines -> lines.find("name").isPresent())
                .map(ContainerRecord::of);
    }

    private static ContainerRecord of(Lines lines) {
        var logs = new ArrayList<Optional<LogFile>>();
        for (int stream = 0; stream < 2; stream++) {
            logs.add(log(lines, stream));
        }
        return new ContainerRecord(
                lines.find("name").orElseThrow(),
                lines.find("boot").orElse(""),
                Instant.ofEpochMilli(lines.number("created-at")),
                lines.all("argument"),
                lines.find("cgroup"),
                lines.find("cgroup-parent"),
                logs,
                number(lines, "root-uid"),
                number(lines, "root-gid"),
                inside(lines));
    }

    private static Optional<InsideSpec> inside(Lines lines) {
        try {
            return InsideText.of(lines);
        } catch (IllegalArgumentException | IndexOutOfBoundsException garbled) {
            return Optional.empty(); // Of a Caisson that knows more than this one, perhaps.
        }
    }

    private static OptionalLong number(Lines lines, String name) {
        return lines.find(name).isPresent() ? OptionalLong.of(lines.number(name)) : OptionalLong.empty();
    }

    private static Optional<LogFile> log(Lines lines, int stream) {
        try {
            return lines.find("log-" + stream)
                    .map(path -> new LogFile(
                            HostPath.path(path),
                            LogFile.Format.valueOf(
                                    lines.find("log-format-" + stream).orElse("JSON")),
                            lines.number("log-max-bytes-" + stream),
                            (int) lines.number("log-files-" + stream)));
        } catch (IllegalArgumentException garbled) {
            return Optional.empty();
        }
    }
}

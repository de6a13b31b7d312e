// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.Containers.Entry;
import dev.caisson.Containers.State;
import dev.caisson.supervise.StateDirectory;
import dev.caisson.supervise.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;

/** What is known on disk, as users see it. */
final class Entries {
    private Entries() {}

    static Entry of(StateDirectory.Known known) {
        var record = known.record();
        var status = known.status();
        boolean runs = known.supervised()
                && status.filter(s -> s.state() == Status.State.RUNNING).isPresent();
        return new Entry(
                record.name(),
                state(known),
                record.command(),
                runs ? OptionalInt.of(status.orElseThrow().pid()) : OptionalInt.empty(),
                record.createdAt(),
                status.map(Status::startedAt),
                status.map(Status::endedAt).filter(at -> !at.equals(Instant.EPOCH)),
                status.map(Status::restarts).orElse(0));
    }

    private static State state(StateDirectory.Known known) {
        if (known.status().isEmpty()) {
            return new State.Created();
        }
        var status = known.status().get();
        if (status.state() == Status.State.EXITED) {
            return new State.Ended(DetachedExit.of(status));
        }
        if (!known.supervised()) {
            return new State.Lost();
        }
        if (status.state() == Status.State.RESTARTING) {
            return new State.Restarting(DetachedExit.of(status));
        }
        return isFrozen(known) ? new State.Frozen() : new State.Running();
    }

    private static boolean isFrozen(StateDirectory.Known known) {
        try {
            var own = known.record().openCgroup();
            if (own.isEmpty()) {
                return false;
            }
            var cgroup = own.get();
            return says(cgroup.directory("freezer"), "freezer.state", "FROZEN")
                    || says(cgroup.directory(""), "cgroup.events", "frozen 1");
        } catch (IOException gone) {
            return false;
        }
    }

    private static boolean says(Optional<Path> directory, String file, String line) {
        if (directory.isEmpty()) {
            return false;
        }
        try {
            return Files.readAllLines(directory.get().resolve(file)).contains(line);
        } catch (IOException gone) {
            return false;
        }
    }
}

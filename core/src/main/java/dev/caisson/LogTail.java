// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.linux.sys.Poller;
import dev.caisson.supervise.LogReader;
import dev.caisson.supervise.LogRecord;
import dev.caisson.supervise.StateDirectory;
import dev.caisson.supervise.Supervised;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Reads the logs of a container: one, or two that are merged by the time of their records. */
final class LogTail {
    private LogTail() {}

    static void read(String name, boolean follow, Consumer<? super Containers.Output> reader)
            throws IOException, InterruptedException {
        var known = StateDirectory.ofThisUser()
                .find(name)
                .orElseThrow(() -> new NoSuchFileException(name, null, "there is no container of this name"));
        var logs = known.record().logs().stream()
                .flatMap(Optional::stream)
                .distinct()
                .toList();
        if (logs.isEmpty()) {
            throw new IllegalStateException("log: neither stream of \"" + name + "\" goes to a log");
        }
        var readers = new ArrayList<LogReader>();
        try (var container = Supervised.attach(known, Poller.shared())) {
            for (var log : logs) {
                readers.add(LogReader.fromBeginning(log));
            }
            read(readers, container, follow, reader);
        } finally {
            readers.forEach(LogReader::close);
        }
    }

    private static void read(
            List<LogReader> readers, Supervised container, boolean follow, Consumer<? super Containers.Output> reader)
            throws IOException, InterruptedException {
        var next = new ArrayList<Optional<LogRecord>>();
        readers.forEach(_ -> next.add(Optional.empty()));
        while (true) {
            // In this order: what ended has written all it had to.
            boolean ended = !follow || !container.isAlive();
            long seen = container.happened();
            for (int i = 0; i < next.size(); i++) {
                if (next.get(i).isEmpty()) {
                    next.set(i, readers.get(i).next());
                }
            }
            int first = first(next);
            if (first >= 0) {
                var record = next.get(first).orElseThrow();
                next.set(first, Optional.empty());
                reader.accept(new Containers.Output(record.time(), record.stderr(), record.bytes()));
            } else if (ended) {
                return;
            } else {
                container.awaitMore(seen);
            }
        }
    }

    private static int first(List<Optional<LogRecord>> next) {
        int first = -1;
        for (int i = 0; i < next.size(); i++) {
            if (next.get(i).isPresent()
                    && (first < 0
                            || next.get(i)
                                    .get()
                                    .time()
                                    .isBefore(next.get(first).orElseThrow().time()))) {
                first = i;
            }
        }
        return first;
    }
}

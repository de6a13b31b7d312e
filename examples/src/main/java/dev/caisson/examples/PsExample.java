// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.Containers;
import dev.caisson.Containers.State;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Lists detached containers, those that have ended included, until they are removed. */
@Command(name = "ps", description = "List the detached containers of this user.", mixinStandardHelpOptions = true)
final class PsExample implements Callable<Integer> {
    @Override
    public Integer call() throws IOException {
        var rows = new ArrayList<List<String>>();
        rows.add(List.of("NAME", "STATE", "SINCE", "RESTARTS", "PID", "COMMAND"));
        for (var entry : Containers.list()) {
            rows.add(List.of(
                    entry.name(),
                    state(entry.state()),
                    since(entry.endedAt().or(entry::startedAt).orElse(entry.createdAt())),
                    Integer.toString(entry.restarts()),
                    entry.pid().isPresent() ? Integer.toString(entry.pid().getAsInt()) : "-",
                    String.join(" ", entry.command())));
        }
        for (var row : rows) {
            System.out.println(line(row, rows));
        }
        return 0;
    }

    private static String state(State state) {
        return switch (state) {
            case State.Created _ -> "created";
            case State.Running _ -> "running";
            case State.Frozen _ -> "frozen";
            case State.Restarting(var last) -> "restarting (" + last.shellCode() + ")";
            case State.Ended(var exit) -> "exited (" + exit.shellCode() + ")";
            case State.Lost _ -> "lost";
        };
    }

    private static String since(Instant moment) {
        long seconds = Math.max(0, Duration.between(moment, Instant.now()).toSeconds());
        return seconds < 120 ? seconds + "s" : seconds < 7200 ? seconds / 60 + "min" : seconds / 3600 + "h";
    }

    private static String line(List<String> row, List<List<String>> rows) {
        var line = new StringBuilder();
        for (int i = 0; i < row.size() - 1; i++) {
            int column = i;
            int width =
                    rows.stream().mapToInt(r -> r.get(column).length()).max().orElse(0);
            line.append(row.get(i)).repeat(" ", width - row.get(i).length() + 2);
        }
        return line.append(row.getLast()).toString();
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import dev.caisson.linux.Signal;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.sys.Processes;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Ends what a command has started where neither a PID namespace nor a cgroup of its own holds it together, as in a PID
 * namespace that it has joined. All are stopped first, over and over until nobody new is found, since who is stopped starts
 * nothing. The leader is a reaper of ours, a subreaper: what loses its parent becomes its own child.
 */
final class Descendants {
    private static final int MOST_ROUNDS = 100;

    private final int leader;

    /** @param leader leads a session, and is not reaped while this is used */
    Descendants(int leader) {
        this.leader = leader;
    }

    private record Entry(int pid, int parent, int session, long start) {}

    void kill() throws IOException {
        var found = new HashMap<Integer, Entry>();
        for (int round = 0; round < MOST_ROUNDS; round++) {
            var fresh = find(found);
            if (fresh.isEmpty()) {
                break;
            }
            for (var entry : fresh.values()) {
                signal(entry, Signal.SIGSTOP);
            }
            found.putAll(fresh);
        }
        for (var entry : found.values()) {
            signal(entry, Signal.SIGKILL);
        }
    }

    /**
     * Kills those that have lost their parent, and the command: they are quickly found, so that a chain of processes, of which
     * each starts the next one and ends, is caught as a rule.
     *
     * @return whether there were any
     */
    boolean killChildren() throws IOException {
        String children;
        try {
            children = Files.readString(Path.of("/proc/" + leader + "/task/" + leader + "/children"))
                    .strip();
        } catch (IOException ended) {
            return false; // Or this kernel does not tell (CONFIG_PROC_CHILDREN); then it takes longer.
        }
        for (String child : children.isEmpty() ? new String[0] : children.split(" ")) {
            killChild(Integer.parseInt(child));
        }
        return !children.isEmpty();
    }

    private void killChild(int pid) {
        try (var pidfd = Processes.open(pid)) {
            if (entry(Path.of("/proc", Integer.toString(pid))).parent == leader) {
                var _ = Processes.signal(pidfd, Signal.SIGKILL);
            }
        } catch (IOException ended) {
            // Nothing is left to do.
        }
    }

    private Map<Integer, Entry> find(Map<Integer, Entry> found) throws IOException {
        var all = entries();
        var fresh = new HashMap<Integer, Entry>();
        boolean more = true;
        while (more) {
            more = false;
            for (var entry : all) {
                boolean ours = entry.session == leader
                        || entry.parent == leader
                        || found.containsKey(entry.parent)
                        || fresh.containsKey(entry.parent);
                if (ours
                        && entry.pid != leader
                        && !found.containsKey(entry.pid)
                        && fresh.put(entry.pid, entry) == null) {
                    more = true;
                }
            }
        }
        return fresh;
    }

    private static List<Entry> entries() throws IOException {
        var all = new ArrayList<Entry>();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : processes) {
                try {
                    all.add(entry(process));
                } catch (IOException ended) {
                    // It is none of those that are looked for any more.
                }
            }
        }
        return all;
    }

    private static Entry entry(Path process) throws IOException {
        String stat = FileNames.decode(Files.readAllBytes(process.resolve("stat")));
        // "pid (name) state ppid pgrp session start ...": the name may hold anything.
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return new Entry(
                Integer.parseInt(process.getFileName().toString()),
                Integer.parseInt(fields[1]),
                Integer.parseInt(fields[3]),
                Long.parseLong(fields[19]));
    }

    /** By a descriptor, and only if it is still one of them: its number may be another's by now. */
    private static void signal(Entry entry, Signal signal) {
        try (var pidfd = Processes.open(entry.pid)) {
            if (entry.equals(entry(Path.of("/proc", Integer.toString(entry.pid))))) {
                var _ = Processes.signal(pidfd, signal);
            }
        } catch (IOException ended) {
            // Nothing is left to do.
        }
    }
}

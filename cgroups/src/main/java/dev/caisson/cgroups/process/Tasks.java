// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.process;

import dev.caisson.cgroups.file.ControlFile;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Signal;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Processes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** The processes in a cgroup and below it. */
public final class Tasks {
    private Tasks() {}

    /** {@return a cgroup and all below it, the deepest first; nothing if it is gone} */
    public static List<Path> tree(Path cgroup) throws IOException {
        var all = new ArrayList<Path>();
        try (Stream<Path> children = Files.list(cgroup)) {
            for (Path child : children.filter(c -> Files.isDirectory(c, LinkOption.NOFOLLOW_LINKS))
                    .toList()) {
                all.addAll(tree(child));
            }
            all.add(cgroup);
        } catch (NoSuchFileException gone) {
            // Removed while we looked.
        } catch (UncheckedIOException gone) {
            // Removed while we listed.
        }
        return all;
    }

    /** {@return the processes in a cgroup and below it} */
    public static Set<Integer> of(Path cgroup) throws IOException {
        var pids = new TreeSet<Integer>();
        for (Path one : tree(cgroup)) {
            pids.addAll(in(one));
        }
        return pids;
    }

    /** {@return the processes in a cgroup itself} */
    public static Set<Integer> in(Path cgroup) throws LinuxException {
        var pids = new TreeSet<Integer>();
        try {
            for (String word : ControlFile.words(cgroup.resolve("cgroup.procs"))) {
                int pid = Integer.parseInt(word);
                if (pid > 0) { // 0 stands for processes of PID namespaces that cannot be seen from here.
                    pids.add(pid);
                }
            }
        } catch (LinuxException refused) {
            boolean gone =
                    refused.errno().equals(Errno.ENOENT) || refused.errno().equals(Errno.ENODEV);
            if (!gone && !refused.errno().equals(Errno.EOPNOTSUPP)) { // A threaded cgroup lists none.
                throw refused;
            }
        }
        return pids;
    }

    /**
     * Kills the processes in a cgroup and below it, one by one. A pid may come to mean another process at any time; a
     * descriptor does not, so each process is pinned by one, and then must be found in the cgroup once more.
     *
     * @return how many were there
     */
    public static int kill(Path cgroup) throws IOException {
        var pinned = new HashMap<Integer, Fd>();
        try {
            for (int pid : of(cgroup)) {
                try {
                    pinned.put(pid, Processes.open(pid));
                } catch (LinuxException ended) {
                    // What is wanted happened by itself.
                }
            }
            for (int pid : of(cgroup)) {
                var process = pinned.get(pid);
                if (process != null) {
                    var _ = Processes.signal(process, Signal.SIGKILL);
                }
            }
            return pinned.size();
        } finally {
            pinned.values().forEach(Fd::close);
        }
    }
}

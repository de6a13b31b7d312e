// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.Signal;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.sys.Native;
import dev.caisson.linux.sys.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What a child has forked before its command ran, such as the command of an init or a reaper: a tracer may hold it where it
 * would not end with its parent yet.
 */
final class Offspring {
    private Offspring() {}

    /**
     * Kills a child and what it has forked.
     *
     * @param child that is not reaped yet, so that its number is its own
     */
    static void kill(int child) {
        try {
            String children = Files.readString(Path.of("/proc/" + child + "/task/" + child + "/children"))
                    .strip();
            for (String number : children.isEmpty() ? new String[0] : children.split(" ")) {
                kill(Integer.parseInt(number), child);
            }
        } catch (IOException ended) {
            // Or this kernel does not tell (CONFIG_PROC_CHILDREN).
        }
        var _ = Native.call(Syscall.KILL, child, Signal.SIGKILL.number(), 0);
    }

    /** By a descriptor, and only if it still is one: its number may be another's by now. */
    private static void kill(int pid, int parent) {
        try (var pidfd = Processes.open(pid)) {
            String stat = FileNames.decode(Files.readAllBytes(Path.of("/proc/" + pid + "/stat")));
            if (stat.substring(stat.lastIndexOf(')') + 2).split(" ")[1].equals(Integer.toString(parent))) {
                var _ = Processes.signal(pidfd, Signal.SIGKILL);
            }
        } catch (IOException ended) {
            // Nothing is left to do.
        }
    }
}

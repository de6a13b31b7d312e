// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Signal;
import dev.caisson.linux.sys.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The command behind an init or a reaper, which alone knows its number. */
final class InitChild {
    private InitChild() {}

    /**
     * Sends a signal to the command itself.
     *
     * @param init that is not reaped yet, so that its number is its own
     * @return false if there is no command any more
     * @throws LinuxException ENOSYS if this kernel does not tell the children of a process (CONFIG_PROC_CHILDREN)
     */
    static boolean signal(int init, Signal signal) throws LinuxException {
        Path list = Path.of("/proc/" + init + "/task/" + init + "/children");
        String children;
        try {
            children = Files.readString(list).strip();
        } catch (IOException unknown) {
            throw new LinuxException(Errno.ENOSYS, "openat(AT_FDCWD, \"" + list + "\", O_RDONLY)");
        }
        if (children.isEmpty()) {
            return false;
        }
        // The oldest comes first, which is the command as long as it lives; adopted orphans come behind.
        int command = Integer.parseInt(children.split(" ")[0]);
        try (var pidfd = Processes.open(command)) {
            // Only now can its number not come to mean another: is it still what it was?
            return isChild(command, init) && Processes.signal(pidfd, signal);
        } catch (LinuxException ended) {
            if (ended.errno().equals(Errno.ESRCH)) {
                return false;
            }
            throw ended;
        }
    }

    private static boolean isChild(int pid, int parent) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            return stat.substring(stat.lastIndexOf(')') + 2).split(" ")[1].equals(Integer.toString(parent));
        } catch (IOException ended) {
            return false;
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.sys.ProcLines;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** What keeps a child from going on, as far as /proc tells: for messages. */
final class Holdup {
    private Holdup() {}

    /** {@return the state of a process, and who traces it; empty if it is gone} */
    static Optional<String> of(int pid) {
        String state = "";
        String tracer = "0";
        try {
            for (String line : ProcLines.of(Path.of("/proc/" + pid + "/status"))) {
                if (line.startsWith("State:")) {
                    state = line.substring("State:".length()).strip();
                } else if (line.startsWith("TracerPid:")) {
                    tracer = line.substring("TracerPid:".length()).strip();
                }
            }
        } catch (IOException gone) {
            return Optional.empty();
        }
        return Optional.of("process " + pid + " is in state " + state
                + (tracer.equals("0") ? "" : ", traced by process " + tracer));
    }
}

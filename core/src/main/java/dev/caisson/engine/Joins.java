// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Processes;
import dev.caisson.spec.Join;
import dev.caisson.spec.Namespace;
import java.io.IOException;

/** Opens namespaces to join. */
final class Joins {
    private Joins() {}

    /** {@return a descriptor by which setns(2) enters it} */
    static Fd open(Join join) throws IOException {
        String file = join.namespace().file();
        try {
            return switch (join) {
                case Join.OfPath p -> Files.open(HostPath.of(p.path()), OpenFlags.O_RDONLY, 0);
                case Join.OfProcess p -> Files.open("/proc/" + p.pid() + "/ns/" + file, OpenFlags.O_RDONLY, 0);
                case Join.OfPidfd p -> Files.duplicate(p.pidfd());
                case Join.OfHeld held -> open(held);
            };
        } catch (LinuxException refused) {
            String step = "join the " + file + " namespace";
            throw new LaunchException(
                    step + ": " + refused.getMessage() + "; does it exist, and may this user see it?", step, refused);
        }
    }

    /** A time namespace is joined as children enter it: an init of ours is not in it itself. */
    private static Fd open(Join.OfHeld join) throws IOException {
        var pidfd = Fd.owning(join.process().duplicate());
        if (join.namespace() != Namespace.TIME) {
            return pidfd;
        }
        try (pidfd) {
            // It is held, so the number is its own.
            return Files.open("/proc/" + Processes.pid(pidfd) + "/ns/time_for_children", OpenFlags.O_RDONLY, 0);
        }
    }
}

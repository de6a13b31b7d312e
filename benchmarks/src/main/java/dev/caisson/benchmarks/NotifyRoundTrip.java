// SPDX-License-Identifier: Apache-2.0
package dev.caisson.benchmarks;

import dev.caisson.Container;
import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Reply;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.seccomp.Supervision;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** Supervisors in Java for the calls of notify.c, which measures them itself. */
final class NotifyRoundTrip {
    private static final long ANSWER = 77; // As in notify.c.

    private NotifyRoundTrip() {}

    public static void main(String[] args) throws Exception {
        var ways = new LinkedHashMap<String, Supervision>(Map.of("Java, one at a time", Supervision.standard()));
        ways.put("Java, concurrent", Supervision.standard().concurrent());
        ways.put("Java, with a timeout", Supervision.standard().timeout(Duration.ofSeconds(10)));
        for (var way : ways.entrySet()) {
            var policy = Seccomp.otherwise(Action.allow())
                    .supervise(Syscall.GETPPID, _ -> Reply.returning(ANSWER))
                    .supervision(way.getValue());
            var _ = Container.bare().noNewPrivileges().seccomp(policy).run(args[0], "calls", way.getKey());
        }
    }
}

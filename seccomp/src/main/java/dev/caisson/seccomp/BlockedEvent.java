// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.linux.Arch;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** What {@link Blocked} says, for Flight Recorder. */
@Name("dev.caisson.CallBlocked")
@Label("Blocked System Call")
@Category({"Caisson", "Seccomp"})
@Description("A system call that a reporting seccomp policy did not let through")
@StackTrace(false)
final class BlockedEvent extends Event {
    @Label("System Call")
    String call = "";

    @Label("Number")
    int number;

    @Label("Architecture")
    String architecture = "";

    @Label("Caller")
    @Description("The number of the calling thread")
    int caller;

    @Label("Action")
    String action = "";

    @Label("Reason")
    @Description("The rule that decided, or why none did")
    String reason = "";

    @Label("Arguments")
    String arguments = "";

    static void commit(Blocked blocked) {
        var event = new BlockedEvent();
        if (!event.isEnabled()) {
            return;
        }
        event.call = blocked.call();
        event.number = blocked.number();
        event.architecture = blocked.architecture().map(Arch::toString).orElse("");
        event.caller = blocked.pid();
        event.action = blocked.verdict().action().text();
        event.reason = blocked.verdict().reason();
        event.arguments = blocked.arguments().toString();
        event.commit();
    }
}

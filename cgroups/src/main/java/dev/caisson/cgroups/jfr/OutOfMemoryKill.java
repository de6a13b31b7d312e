// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.jfr;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

@Name("dev.caisson.OutOfMemory")
@Label("Out of Memory")
@Category({"Caisson", "Cgroups"})
@Description("The kernel's out-of-memory killer took processes of a cgroup")
@StackTrace(false)
final class OutOfMemoryKill extends Event {
    @Label("Cgroup")
    String cgroup = "";

    @Label("Kills")
    long kills;

    @Label("Scope")
    @Description("Whose limit it was: OWN, ABOVE, BELOW, HOST, UNKNOWN")
    String scope = "";

    @Label("Level")
    @Description("The cgroup whose limit it was, if known")
    String level = "";

    @Label("Limit")
    @DataAmount
    @Description("-1 if not known")
    long limitBytes = -1;

    @Label("Victims")
    @Description("Those that the kernel's log tells of")
    String victims = "";
}

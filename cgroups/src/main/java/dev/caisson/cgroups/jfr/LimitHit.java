// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

@Name("dev.caisson.LimitHit")
@Label("Limit Hit")
@Category({"Caisson", "Cgroups"})
@Description("Processes of a cgroup met a limit, and were slowed, reclaimed or refused")
@StackTrace(false)
final class LimitHit extends Event {
    @Label("Cgroup")
    String cgroup = "";

    @Label("Limit")
    @Description("As Limits spells it, such as memoryMax")
    String limit = "";

    @Label("Times")
    @Description("Since the last event of this limit")
    long times;
}

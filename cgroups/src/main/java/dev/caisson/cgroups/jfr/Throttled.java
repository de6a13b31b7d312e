// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

@Name("dev.caisson.Throttled")
@Label("Throttled")
@Category({"Caisson", "Cgroups"})
@Description("Processes of a cgroup were stopped for having used up their processor time")
@StackTrace(false)
final class Throttled extends Event {
    @Label("Cgroup")
    String cgroup = "";

    @Label("Periods")
    @Description("Since the last event")
    long periods;

    @Label("Time")
    @Description("Since the last event, added up over all processors")
    @Timespan(Timespan.NANOSECONDS)
    long time;
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v2;

import dev.caisson.cgroups.file.Write;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limit.IoLimit;
import java.util.List;

/** The io controller: io.* files. */
final class Io {
    private Io() {}

    static List<Write> writes(IoLimit limit) {
        return switch (limit) {
            case Limit.IoMax(var device, var readBytes, var writeBytes, var reads, var writes) ->
                List.of(write(
                        limit,
                        "io.max",
                        device + " rbps=" + readBytes + " wbps=" + writeBytes + " riops=" + reads + " wiops="
                                + writes));
            case Limit.IoWeight(int weight) ->
                List.of(write(limit, "io.weight", "default " + weight)
                        .or(write(limit, "io.bfq.weight", "default " + schedulerWeight(weight))));
            case Limit.IoDeviceWeight(var device, int weight) ->
                List.of(write(limit, "io.weight", device + " " + weight)
                        .or(write(limit, "io.bfq.weight", device + " " + schedulerWeight(weight))));
            case Limit.IoLatency(var device, var target) ->
                List.of(write(limit, "io.latency", device + " target=" + target.toNanos() / 1000));
        };
    }

    /** The schedulers' range is 10 to 1000; the OCI runtimes draw a line from end to end, this is its inverse. */
    static long schedulerWeight(int weight) {
        return 10 + Math.round((weight - 1) * 990 / 9999.0);
    }

    private static Write write(IoLimit limit, String file, String value) {
        return new Write(limit.option(), "io", file, value);
    }
}

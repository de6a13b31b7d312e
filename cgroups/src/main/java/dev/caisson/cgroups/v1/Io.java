// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v1;

import dev.caisson.cgroups.file.Write;
import dev.caisson.cgroups.spec.BlockDevice;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limit.Amount;
import dev.caisson.cgroups.spec.Limit.IoLimit;
import java.util.List;

/** The io controller, which is called blkio here: blkio.* files. */
final class Io {
    private Io() {}

    static List<Write> writes(IoLimit limit) throws CgroupException {
        return switch (limit) {
            case Limit.IoMax(var device, var readBytes, var writeBytes, var reads, var writes) ->
                List.of(
                        throttle(limit, "read_bps", device, readBytes),
                        throttle(limit, "write_bps", device, writeBytes),
                        throttle(limit, "read_iops", device, reads),
                        throttle(limit, "write_iops", device, writes));
            case Limit.IoWeight(int weight) -> {
                String value = Long.toString(weight(weight));
                yield List.of(write(limit, "blkio.bfq.weight", value).or(write(limit, "blkio.weight", value)));
            }
            case Limit.IoDeviceWeight(var device, int weight) -> {
                String value = device + " " + weight(weight);
                yield List.of(
                        write(limit, "blkio.bfq.weight_device", value).or(write(limit, "blkio.weight_device", value)));
            }
            case Limit.IoLatency _ -> throw V1Writes.unknown(limit, "use ioMax on the siblings");
        };
    }

    /** The range is 10 to 1000; the OCI runtimes draw a line from end to end, this is its inverse. */
    static long weight(int weight) {
        return 10 + Math.round((weight - 1) * 990 / 9999.0);
    }

    /** Without bound is 0 here. */
    private static Write throttle(IoLimit limit, String what, BlockDevice device, Amount amount) {
        return write(
                limit,
                "blkio.throttle." + what + "_device",
                device + " " + amount.value().orElse(0));
    }

    private static Write write(IoLimit limit, String file, String value) {
        return new Write(limit.option(), "blkio", file, value);
    }
}

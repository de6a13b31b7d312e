// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import dev.caisson.cgroups.Cgroup;
import dev.caisson.cgroups.UsageMeter;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import java.io.IOException;
import java.time.Duration;

/** The account of processor time that a bound of it is compared with. */
final class CpuAccount {
    private CpuAccount() {}

    /**
     * {@return the account of a cgroup, open, so that reading it takes no descriptor later}
     *
     * @throws CgroupException if nothing here counts it
     */
    static UsageMeter open(Cgroup cgroup) throws IOException {
        var meter = cgroup.meter();
        try {
            var _ = of(meter);
            return meter;
        } catch (IOException | RuntimeException | Error failed) {
            meter.close();
            throw failed;
        }
    }

    /** {@return what the account says now} */
    static Duration of(UsageMeter meter) throws IOException {
        return meter.cpuTime()
                .orElseThrow(() -> new CgroupException(
                        Reason.MISSING_CONTROLLER,
                        "cpuTimeMax",
                        "nothing here counts the processor time of a cgroup; mount cgroup version 2, or the controller"
                                + " cpuacct of version 1",
                        null));
    }

    /** {@return the same refusal, said of the setting that requires a cgroup} */
    static CgroupException refused(CgroupException noCgroup) {
        return new CgroupException(
                noCgroup.reason(),
                "cpuTimeMax",
                "it requires a cgroup of the container's own, which counts the processor time of all its processes, and there"
                        + " can be none; to bound each single process, use rlimit(CPU): " + noCgroup.getMessage(),
                noCgroup);
    }
}

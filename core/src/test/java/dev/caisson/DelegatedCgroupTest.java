// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A container that divides its own cgroup, and gets no further than that. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class DelegatedCgroupTest {
    private static final String DIVIDE = """
            cd /sys/fs/cgroup && mkdir init job && echo $$ > init/cgroup.procs || exit 2
            grep ^0:: /proc/self/cgroup
            """;

    private static CgroupMounts version2() throws Exception {
        var mounts = CgroupMounts.ofThisProcess();
        if (mounts.unified().isEmpty()) {
            throw Need.CGROUP_V2.skipped("this machine has no cgroup version 2");
        }
        return mounts;
    }

    private static List<ContainerBuilder> containers() throws Exception {
        var inUserNamespace = overHost().newUser().delegateCgroup();
        return CgroupMounts.namespacesAreBoundaries()
                ? List.of(inUserNamespace, overHost().delegateCgroup())
                : List.of(inUserNamespace);
    }

    @Test
    void rootInsideMakesCgroupsAndMovesItsProcesses() throws Exception {
        var _ = version2();
        for (var container : containers()) {
            assertEquals("0::/init", Samples.sh(container, DIVIDE));
        }
    }

    @Test
    void itsOwnLimitsAreOutOfReach() throws Exception {
        var _ = version2();
        for (var container : containers()) {
            String said = Samples.sh(
                    container.limits(Limits.none().unified("cgroup.max.descendants", "5")),
                    DIVIDE
                            + "cd /sys/fs/cgroup; { echo 9 > cgroup.max.descendants; } 2>&1; cat cgroup.max.descendants");
            assertTrue(said.endsWith("\n5"), said);
            assertTrue(said.contains("denied") || said.contains("not permitted"), said);
        }
    }

    @Test
    void itGivesControllersOfItsOwnLimitsToWhatItMakes() throws Exception {
        if (!version2().isUnified("pids")) {
            throw Need.CONTROLLER.skipped("the pids controller is not in version 2 here");
        }
        for (var container : containers()) {
            String said = Samples.sh(container.pidsMax(20), DIVIDE + """
                    echo +pids > cgroup.subtree_control && echo 3 > job/pids.max && cat job/pids.max
                    sh -c 'echo $$ > job/cgroup.procs; sleep 0.1 & sleep 0.1 & sleep 0.1 & wait' 2>&1
                    """);
            assertTrue(said.startsWith("0::/init\n3\n") && said.contains("fork"), said);
        }
    }

    @Test
    void whereNothingKeepsItFromLiftingItsLimitsItIsRefused() throws Exception {
        if (version2().unified().isPresent() && CgroupMounts.namespacesAreBoundaries()) {
            Need.doesNotApply("cgroup2 is mounted with nsdelegate here");
        }
        var refused = assertThrows(
                ContainerException.class, () -> overHost().delegateCgroup().run("true"));
        assertTrue(refused.getMessage().contains("nsdelegate"), refused.getMessage());
    }

    @Test
    void withoutARootOfItsOwnThereIsNoPlaceForIt() {
        var refused = assertThrows(
                IllegalStateException.class,
                () -> Container.bare().delegateCgroup().run("true"));
        assertTrue(refused.getMessage().contains("delegateCgroup"), refused.getMessage());
    }
}

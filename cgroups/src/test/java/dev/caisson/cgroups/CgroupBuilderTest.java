// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import static dev.caisson.linux.ByteUnit.MB;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.CgroupBuilder.Version;
import dev.caisson.cgroups.CgroupPlan.Unenforced;
import dev.caisson.cgroups.Cgroups.View;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limit.Amount;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What users of the module reach, without its hidden types. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class CgroupBuilderTest {
    /** There are no such pages, so that no version has a file for them. */
    private static final Limit NO_SUCH_PAGES = new Limit.HugetlbMax(1L << 40, false, Amount.of(0));

    @Test
    void aCgroupIsOpenedByItsName() throws Exception {
        var _ = View.ALL.mounts();
        try (var cgroup = Cgroup.builder().create()) {
            var again = Cgroup.open(cgroup.name());
            assertEquals(cgroup.directories(), again.directories());
            again.close();
            var refused = assertThrows(CgroupException.class, () -> Cgroup.open(cgroup.name()));
            assertEquals(CgroupException.Reason.VANISHED, refused.reason());
        }
        assertThrows(IllegalArgumentException.class, () -> Cgroup.open("../machine"));
        assertThrows(IllegalArgumentException.class, () -> Cgroup.open("/..", "machine"));
    }

    @Test
    void aCgroupBelowAnotherIsOpenedByBothNames() throws Exception {
        var mounts = View.VERSION_2.mounts();
        try (var parent = Cgroup.builder(mounts).create();
                var child = Cgroup.builder(mounts).parent("/" + parent.name()).create()) {
            assertEquals(
                    child.directories(),
                    Cgroup.open("/" + parent.name(), child.name()).directories());
        }
    }

    @Test
    void oneVersionAloneIsUsedIfItIsAskedFor() throws Exception {
        for (var version : Version.values()) {
            var view = version == Version.V1 ? View.VERSION_1 : View.VERSION_2;
            var mounts = view.mounts();
            try (var cgroup = Cgroup.builder().only(version).create()) {
                assertEquals(version == Version.V2, cgroup.directory("").isPresent());
                for (var directory : cgroup.directories()) {
                    assertTrue(
                            mounts.hierarchies().stream().anyMatch(h -> directory.startsWith(h.mountPoint())),
                            directory.toString());
                }
            }
        }
    }

    @Test
    void aWishThatCannotBeGrantedIsReportedByNameAndTheOthersHold() throws Exception {
        var mounts = View.ALL.with("pids");
        var builder = Cgroup.builder(mounts)
                .wish(Limits.none().with(NO_SUCH_PAGES).pidsMax(30))
                .limits(Limits.none().pidsMax(20));
        try (var cgroup = builder.create()) {
            assertEquals(
                    List.of("hugetlbMax"),
                    cgroup.unenforced().stream().map(Unenforced::option).toList());
            String why = cgroup.unenforced().getFirst().why();
            assertTrue(why.startsWith("hugetlbMax: ") && why.length() > 30, why);
            assertEquals("20", Cgroups.read(cgroup, "pids", "pids.max"), "a limit counts before a wish");
        }
        assertThrows(
                CgroupException.class,
                () -> builder.limits(Limits.none().with(NO_SUCH_PAGES)).create());
    }

    @Test
    void aPlanTellsOfWishesThatNoVersionHere() throws Exception {
        var mounts = View.ALL.mounts();
        var impossible =
                mounts.isUnified("memory") ? new Limit.Swappiness(10) : new Limit.MemoryHigh(Amount.of(MB.toBytes(1)));
        var plan = Cgroup.builder(mounts).wish(Limits.none().with(impossible)).explain();
        assertEquals(
                List.of(impossible.option()),
                plan.unenforced().stream().map(Unenforced::option).toList());
        assertTrue(plan.toString().contains("not enforced: " + impossible.option()), plan.toString());
        assertFalse(plan.steps().isEmpty());
    }

    @Test
    void aWishWhoseControllerCannotComeDownIsReported() throws Exception {
        var mounts = View.VERSION_2.mounts();
        var controller = mounts.unifiedControllers().stream()
                .filter(c -> c.equals("pids") || c.equals("hugetlb"))
                .findFirst();
        if (controller.isEmpty()) {
            Cgroups.skip(Need.CONTROLLER, "version 2 has neither pids nor hugetlb here");
        }
        Limit limit = controller.orElseThrow().equals("pids")
                ? new Limit.PidsMax(Amount.of(5))
                : new Limit.HugetlbMax(MB.toBytes(2), false, Amount.of(0));
        try (var parent = Cgroup.builder(mounts).create()) {
            // A cgroup with processes has no controllers to give.
            var _ = Cgroups.shell(parent, "exec sleep 100");
            var builder = Cgroup.builder(mounts).parent("/" + parent.name());
            try (var cgroup = builder.wish(Limits.none().with(limit)).create()) {
                assertEquals(
                        List.of(limit.option()),
                        cgroup.unenforced().stream().map(Unenforced::option).toList());
                String why = cgroup.unenforced().getFirst().why();
                assertTrue(why.contains("processes of its own"), why);
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.hierarchy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CgroupMountsTest {
    private static final List<String> SYSTEMD_UNIFIED = List.of(
            "24 30 0:22 / /proc rw,nosuid - proc proc rw",
            "31 24 0:27 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2"
                    + " rw,nsdelegate,memory_recursiveprot");
    private static final List<String> HYBRID = List.of(
            "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755",
            "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct",
            "35 31 0:32 / /sys/fs/cgroup/memory ro,relatime - cgroup cgroup rw,memory",
            "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/x,name=systemd",
            "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw");

    @Test
    void aUnifiedLayoutHasOneHierarchy() {
        var mounts = CgroupMounts.parse(SYSTEMD_UNIFIED, List.of("0::/user.slice/session-1.scope"));
        assertEquals("unified", mounts.layout());
        assertEquals(
                Optional.of(Path.of("/sys/fs/cgroup/user.slice/session-1.scope")),
                mounts.own(mounts.unifiedHierarchy().orElseThrow()));
    }

    @Test
    void coMountedControllersAreOneHierarchyWithSeveralNames() {
        var mounts = CgroupMounts.parse(HYBRID, List.of("2:cpu,cpuacct:/a", "1:name=systemd:/", "0::/"));
        assertEquals("hybrid", mounts.layout());
        assertEquals(mounts.legacyHierarchy("cpu"), mounts.legacyHierarchy("cpuacct"));
        var cpu = mounts.legacyHierarchy("cpu").orElseThrow();
        assertEquals("cpu,cpuacct", cpu.name());
        assertEquals(Optional.of(Path.of("/sys/fs/cgroup/cpu,cpuacct/a")), mounts.own(cpu));
        assertEquals(
                Set.of("name=systemd"),
                mounts.legacyHierarchy("name=systemd").orElseThrow().controllers());
        assertTrue(mounts.legacyHierarchy("memory").orElseThrow().readOnly());
    }

    @Test
    void withoutVersion2TheLayoutIsLegacy() {
        assertEquals(
                "legacy", CgroupMounts.parse(HYBRID, List.of()).legacyOnly().layout());
        assertEquals(
                "unified", CgroupMounts.parse(HYBRID, List.of()).unifiedOnly().layout());
        assertEquals("none", CgroupMounts.parse(List.of(), List.of()).layout());
    }

    @Test
    void aBindMountOfOneCgroupShowsWhatIsBelowIt() {
        // As Docker has it without a cgroup namespace.
        var mounts = CgroupMounts.parse(
                List.of("9 8 0:5 /docker/1f /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory"),
                List.of("4:memory:/docker/1f/sub"));
        var memory = mounts.legacyHierarchy("memory").orElseThrow();
        assertEquals(Optional.of(Path.of("/sys/fs/cgroup/memory/sub")), mounts.own(memory));
        assertEquals(Optional.empty(), memory.directory("/docker/other"));
    }

    @Test
    void inACgroupNamespaceTheOwnCgroupIsTheRootOfTheMount() {
        var mounts = CgroupMounts.parse(
                List.of("9 8 0:5 / /sys/fs/cgroup rw - cgroup2 cgroup rw,nsdelegate"), List.of("0::/"));
        assertEquals(
                Optional.of(Path.of("/sys/fs/cgroup")),
                mounts.own(mounts.unifiedHierarchy().orElseThrow()));
    }

    @Test
    void whatIsOutsideTheCgroupNamespaceHasNoPlaceHere() {
        var mounts = CgroupMounts.parse(
                List.of("9 8 0:5 /../.. /sys/fs/cgroup rw - cgroup2 cgroup rw"), List.of("0::/../sibling"));
        assertEquals(Optional.empty(), mounts.own(mounts.unifiedHierarchy().orElseThrow()));
    }

    @Test
    void blanksInMountPointsAreRead() {
        var mounts = CgroupMounts.parse(
                List.of("9 8 0:5 / /a\\040b\\134c rw - cgroup2 cgroup rw", "broken line", ""), List.of("nonsense"));
        assertEquals(Optional.of(Path.of("/a b\\c")), mounts.unified());
    }

    @Test
    void thisMachinesMountsAreTheOnesOnTop() throws Exception {
        for (var hierarchy : CgroupMounts.ofThisProcess().hierarchies()) {
            assertTrue(Files.exists(hierarchy.mountPoint().resolve("cgroup.procs")), hierarchy.toString());
        }
    }

    @Test
    void aMissingControllerIsTracked() {
        var v2 = CgroupMounts.parse(SYSTEMD_UNIFIED, List.of());
        var table = List.of(
                "#subsys_name\thierarchy\tnum_cgroups\tenabled", "memory\t0\t18\t0", "pids\t8\t2\t1", "blkio\t0\t2\t1");
        assertTrue(Whereabouts.of("memory", v2, table).contains("cgroup_disable=memory"));
        assertTrue(Whereabouts.of("pids", v2, table).contains("hierarchy 8"));
        assertTrue(Whereabouts.of("io", v2, table).contains("the parent has not enabled it"));
        assertTrue(Whereabouts.of("misc", v2, table).contains("built without"));
        var v1 = CgroupMounts.parse(HYBRID, List.of()).legacyOnly();
        assertTrue(Whereabouts.of("io", v1, table).contains("mount -t cgroup -o blkio"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a/../b", "relative", "/a/../b", "/..", "/./a", "/a\0b", ""})
    void aParentThatCouldLeadElsewhereIsRefused(String path) {
        var refused = assertThrows(IllegalArgumentException.class, () -> Placement.checked(path));
        assertTrue(refused.getMessage().startsWith("cgroupParent:"), refused.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "a/b", ".hidden", "a b", "memory.max", "cgroup.procs", "a\nb"})
    void aNameThatCouldLeadElsewhereOrBeAFileIsRefused(String name) {
        assertThrows(IllegalArgumentException.class, () -> Placement.checkedName(name));
    }

    @Test
    void unitsOfSystemdAreNames() {
        assertEquals("machine.slice", Placement.checkedName("machine.slice"));
        assertFalse(Placement.checkedName("caisson-1-2").isEmpty());
    }
}

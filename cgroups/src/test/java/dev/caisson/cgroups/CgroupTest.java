// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import static dev.caisson.cgroups.Cgroups.read;
import static dev.caisson.cgroups.Cgroups.shell;
import static dev.caisson.linux.ByteUnit.MB;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.Cgroups.View;
import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.DeviceRules;
import dev.caisson.cgroups.spec.DeviceRules.Rule;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limit.Amount;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** On the real kernel, in each part of this machine's layout. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class CgroupTest {
    private static final int SIGKILL_CODE = 128 + 9;

    private static Cgroup create(View view, Limits limits) throws Exception {
        return Cgroup.builder(view.mounts()).limits(limits).create();
    }

    @ParameterizedTest
    @EnumSource(View.class)
    void itIsThereWhileItIsOpenAndGoneAfterwards(View view) throws Exception {
        var cgroup = create(view, Limits.none());
        var directories = cgroup.directories();
        try (cgroup) {
            assertFalse(directories.isEmpty());
            directories.forEach(d -> assertTrue(Files.isDirectory(d), d.toString()));
        }
        directories.forEach(d -> assertFalse(Files.exists(d), d.toString()));
        cgroup.close();
    }

    @ParameterizedTest
    @EnumSource(View.class)
    void closingKillsWhatRunsInItAndBelow(View view) throws Exception {
        Process process;
        try (var cgroup = create(view, Limits.none())) {
            process = shell(cgroup, "sleep 1000 & sleep 1000 & wait");
            var below = cgroup.child("below", Limits.none());
            var deep = shell(below, "exec sleep 1000");
            Thread.sleep(50);
            assertTrue(process.isAlive() && deep.isAlive());
        }
        assertTrue(process.waitFor(5, TimeUnit.SECONDS));
        assertEquals(SIGKILL_CODE, process.exitValue());
    }

    @ParameterizedTest
    @EnumSource(View.class)
    void everythingStandsStillWhileItIsFrozenAndDiesFrozen(View view) throws Exception {
        try (var cgroup = create(view, Limits.none())) {
            var process = shell(cgroup, "while :; do :; done");
            cgroup.freeze();
            Duration before = cpuTime(process.pid());
            Thread.sleep(100);
            assertEquals(before, cpuTime(process.pid()));
            cgroup.thaw();
            for (int i = 0; i < 100 && cpuTime(process.pid()).equals(before); i++) {
                Thread.sleep(20);
            }
            assertTrue(cpuTime(process.pid()).compareTo(before) > 0);
            cgroup.freeze();
            cgroup.kill();
            assertTrue(process.waitFor(5, TimeUnit.SECONDS));
        }
    }

    private static Duration cpuTime(long pid) throws Exception {
        String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
        String[] words = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return Duration.ofMillis(10 * (Long.parseLong(words[11]) + Long.parseLong(words[12])));
    }

    @ParameterizedTest
    @EnumSource(View.class)
    void killingTakesAllEvenWhileTheyFork(View view) throws Exception {
        try (var cgroup = create(view, Limits.none())) {
            var process = shell(cgroup, "f() { sleep 100 & sleep 0.01; f & sleep 100; }; f");
            Thread.sleep(200);
            cgroup.kill();
            assertTrue(process.waitFor(5, TimeUnit.SECONDS));
        }
    }

    @ParameterizedTest
    @EnumSource(View.class)
    void theJvmStaysWhereItIs(View view) throws Exception {
        String before = Files.readString(Path.of("/proc/self/cgroup"));
        try (var cgroup = create(view, Limits.none())) {
            shell(cgroup, "exec true").waitFor();
            assertEquals(before, Files.readString(Path.of("/proc/self/cgroup")));
            long self = ProcessHandle.current().pid();
            assertThrows(IllegalArgumentException.class, () -> cgroup.add(self));
        }
        assertEquals(before, Files.readString(Path.of("/proc/self/cgroup")));
    }

    @ParameterizedTest
    @EnumSource(View.class)
    void devicesThatNoRuleAllowsCannotBeOpened(View view) throws Exception {
        var mounts = view.mounts();
        var rules = DeviceRules.standard().and(Rule.deny("c 1:5 rw"));
        if (view == View.VERSION_1 && mounts.legacyHierarchy("devices").isEmpty()) {
            Cgroups.skip(Need.CONTROLLER, "no devices controller of version 1 here");
        }
        try (var cgroup =
                Cgroup.builder(mounts).limits(Limits.none().devices(rules)).create()) {
            String script = "head -c 1 /dev/zero >/dev/null 2>&1 && echo zero; echo x >/dev/null && echo null";
            assertEquals("null\n", Cgroups.output(shell(cgroup, script)));
            cgroup.update(Limits.none().devices(DeviceRules.standard()));
            assertEquals("zero\nnull\n", Cgroups.output(shell(cgroup, script)));
            cgroup.update(Limits.none().devices(rules));
            assertEquals("null\n", Cgroups.output(shell(cgroup, script)));
        }
    }

    @Test
    void limitsChangeWhileItRuns() throws Exception {
        try (var cgroup = Cgroup.builder(View.ALL.with("pids"))
                .limits(Limits.none().pidsMax(8))
                .create()) {
            cgroup.update(Limits.none().pidsMax(9));
            assertEquals("9", read(cgroup, "pids", "pids.max"));
            assertEquals(9, cgroup.limits().pidsMax().orElseThrow());
        }
    }

    @Test
    void aLimitOfAControllerThatHadNoPartTakesTheProcessesAlong() throws Exception {
        var mounts = View.ALL.with("pids");
        try (var cgroup = Cgroup.builder(mounts).create()) {
            var process = shell(cgroup, "sleep 100 & echo ready; wait");
            assertEquals('r', process.getInputStream().read());
            cgroup.update(Limits.none().pidsMax(20));
            assertTrue(Integer.parseInt(read(cgroup, "pids", "pids.current")) >= 2);
            assertTrue(process.isAlive());
        }
    }

    @Test
    void memoryBelowWhatIsUsedIsRefusedAndNobodyDies() throws Exception {
        try (var cgroup = Cgroup.builder(View.ALL.with("memory"))
                .limits(Limits.none().memoryMax(256, MB))
                .create()) {
            var process = shell(cgroup, "x=$(head -c 30000000 /dev/zero | tr '\\0' x); echo ready; sleep 100");
            assertEquals('r', process.getInputStream().read());
            var refused = assertThrows(
                    CgroupException.class, () -> cgroup.update(Limits.none().memoryMax(1, MB)));
            assertEquals(CgroupException.Reason.BELOW_USAGE, refused.reason());
            assertTrue(refused.getMessage().startsWith("memoryMax:"), refused.getMessage());
            assertTrue(process.isAlive());
            assertEquals(256 << 20, cgroup.limits().memoryMax().orElseThrow());
        }
    }

    @Test
    void aLimitNobodyCanEnforceIsRefusedByNameAndLeavesNothing() throws Exception {
        var mounts = View.ALL.mounts();
        var impossible = new Limit.HugetlbMax(1L << 40, false, Amount.of(0));
        var refused = assertThrows(
                CgroupException.class,
                () -> Cgroup.builder(mounts)
                        .limits(Limits.none().with(impossible))
                        .create());
        assertEquals("hugetlbMax", refused.option());
        assertTrue(
                refused.reason() == CgroupException.Reason.MISSING_FILE
                        || refused.reason() == CgroupException.Reason.MISSING_CONTROLLER,
                refused.toString());
    }

    @Test
    void withBestEffortItIsReportedInstead() throws Exception {
        var mounts = View.ALL.mounts();
        var limit = mounts.isUnified("memory") ? new Limit.Swappiness(10) : new Limit.MemoryHigh(Amount.of(1 << 20));
        try (var cgroup = Cgroup.builder(mounts)
                .limits(Limits.none().with(limit))
                .bestEffort()
                .create()) {
            assertEquals(
                    List.of(limit.option()),
                    cgroup.unenforced().stream()
                            .map(CgroupPlan.Unenforced::option)
                            .toList());
        }
    }

    @ParameterizedTest
    @EnumSource(View.class)
    void aNameThatIsTakenIsNotTouched(View view) throws Exception {
        var mounts = view.mounts();
        try (var first = Cgroup.builder(mounts).create()) {
            var refused = assertThrows(
                    CgroupException.class,
                    () -> Cgroup.builder(mounts).name(first.name()).create());
            assertEquals(CgroupException.Reason.EXISTS, refused.reason());
            first.directories().forEach(d -> assertTrue(Files.isDirectory(d)));
        }
    }

    @ParameterizedTest
    @EnumSource(View.class)
    void aCgroupThatSomebodyRemovedIsAnExplainedError(View view) throws Exception {
        try (var cgroup = create(view, Limits.none())) {
            for (var directory : cgroup.directories()) {
                Files.delete(directory);
            }
            var process = new ProcessBuilder("sleep", "10").start();
            try {
                var refused = assertThrows(CgroupException.class, () -> cgroup.add(process.pid()));
                assertEquals(CgroupException.Reason.VANISHED, refused.reason());
            } finally {
                process.destroyForcibly().waitFor();
            }
        }
    }

    @Test
    void aParentIsUsedIfItExists() throws Exception {
        var mounts = View.VERSION_2.mounts();
        try (var parent = Cgroup.builder(mounts).create();
                var child = Cgroup.builder(mounts).parent("/" + parent.name()).create()) {
            assertEquals(
                    parent.directories().getFirst(),
                    child.directories().getFirst().getParent());
        }
        var refused = assertThrows(
                CgroupException.class,
                () -> Cgroup.builder(mounts).parent("/caisson-test-none").create());
        assertEquals("cgroupParent", refused.option());
    }

    @Test
    void moreProcessorsThanThereAreAreRefused() throws Exception {
        var mounts = View.ALL.mounts();
        for (var limits : List.of(Limits.none().cpus(8000), Limits.none().cpuset("0,8000"))) {
            var refused = assertThrows(
                    IllegalArgumentException.class,
                    () -> Cgroup.builder(mounts).limits(limits).explain());
            assertTrue(refused.getMessage().contains("host"), refused.getMessage());
        }
    }

    @ParameterizedTest
    @EnumSource(View.class)
    void aThreadedChildTakesSingleThreads(View view) throws Exception {
        try (var cgroup = create(view, Limits.none())) {
            var process = shell(cgroup, "exec sleep 100");
            var threads = cgroup.threadedChild("threads", Limits.none());
            threads.addThread(process.pid());
            String file = view == View.VERSION_1 ? "tasks" : "cgroup.threads";
            assertEquals(
                    Long.toString(process.pid()),
                    Files.readString(threads.directories().getFirst().resolve(file))
                            .strip());
        }
    }

    @Test
    void whatIsDelegatedBelongsToTheUserAndItsLimitsDoNot() throws Exception {
        try (var cgroup = create(View.VERSION_2, Limits.none())) {
            cgroup.delegate(65534, 65534);
            Path directory = cgroup.directories().getFirst();
            assertEquals(65534, Files.getAttribute(directory, "unix:uid"));
            assertEquals(65534, Files.getAttribute(directory.resolve("cgroup.procs"), "unix:uid"));
            assertEquals(0, Files.getAttribute(directory.resolve("cgroup.max.depth"), "unix:uid"));
            var _ = Cgroups.output(shell(
                    cgroup,
                    "exec setpriv --reuid 65534 --regid 65534 --clear-groups mkdir " + directory.resolve("inner")));
            assertTrue(Files.isDirectory(directory.resolve("inner")));
        }
    }

    @Test
    void theNameTellsWhoMadeIt() throws Exception {
        try (var cgroup = create(View.ALL, Limits.none())) {
            assertEquals(Optional.of(Owner.ofThisProcess()), Owner.parse(cgroup.name()));
            assertFalse(Owner.ofThisProcess().isGone());
        }
    }

    /** A limit of whichever controller version 2 has here, or skips the test. */
    private static Limits ofVersion2(CgroupMounts mounts) {
        if (mounts.isUnified("pids")) {
            return Limits.none().pidsMax(50);
        }
        if (mounts.isUnified("hugetlb") && Files.isDirectory(Path.of("/sys/kernel/mm/hugepages/hugepages-2048kB"))) {
            return Limits.none().with(new Limit.HugetlbMax(MB.toBytes(2), false, Amount.of(0)));
        }
        throw Need.CONTROLLER.skipped("version 2 has neither pids nor hugetlb here");
    }

    @Test
    void aParentWithProcessesIsRefusedUnlessTheyMayMoveToALeaf() throws Exception {
        var mounts = View.VERSION_2.mounts();
        var limits = ofVersion2(mounts);
        try (var parent = Cgroup.builder(mounts).limits(limits).create()) {
            var process = shell(parent, "exec sleep 100");
            var below = Cgroup.builder(mounts).parent("/" + parent.name()).limits(limits);
            var refused = assertThrows(CgroupException.class, below::create);
            assertEquals(CgroupException.Reason.INTERNAL_PROCESSES, refused.reason());
            assertTrue(refused.getMessage().contains("[" + process.pid() + "]"), refused.getMessage());
            assertTrue(refused.getMessage().contains("evacuate"), refused.getMessage());
            try (var child = below.evacuate().create()) {
                assertTrue(Files.readString(Path.of("/proc/" + process.pid() + "/cgroup"))
                        .contains(parent.name() + "/caisson-leaf"));
                var inChild = shell(child, "exec sleep 100");
                assertTrue(inChild.isAlive());
            }
            assertTrue(process.isAlive());
        }
    }

    @Test
    void aChildWithLimitsOfItsOwnTakesNewcomersWhileTheOthersStayInALeaf() throws Exception {
        var mounts = View.VERSION_2.mounts();
        var limits = ofVersion2(mounts);
        try (var cgroup = Cgroup.builder(mounts).limits(limits).create()) {
            var first = shell(cgroup, "exec sleep 100");
            var command = cgroup.child("exec-1", limits);
            var second = shell(command, "exec sleep 100");
            var third = shell(cgroup, "exec sleep 100");
            assertTrue(first.isAlive() && second.isAlive() && third.isAlive());
            command.close();
            assertTrue(second.waitFor(5, TimeUnit.SECONDS));
            assertTrue(first.isAlive() && third.isAlive());
        }
    }
}

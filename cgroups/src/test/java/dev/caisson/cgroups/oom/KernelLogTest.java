// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.oom;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.caisson.cgroups.oom.KernelLog.Kill;
import dev.caisson.cgroups.spec.OutOfMemory.Victim;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class KernelLogTest {
    private static final String KILL = "6,700,5000,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,"
            + "mems_allowed=0,oom_memcg=/a,task_memcg=/a/b,task=tail,pid=42,uid=0\n";

    private static Kill kill(String level, long pid, String name) {
        return new Kill(Optional.of(level), new Victim(pid, Optional.of(name)));
    }

    @Test
    void killsAreFoundInTheCgroupAndAboveIt() {
        var records = List.of("4,699,4999,-;tail invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0\n", KILL);
        var expected = List.of(kill("/a", 42, "tail"));
        assertEquals(expected, KernelLog.kills(records, "/a/b"));
        assertEquals(expected, KernelLog.kills(records, "/a"));
        assertEquals(expected, KernelLog.kills(records, "/"));
        assertEquals(List.of(), KernelLog.kills(records, "/a/b/c"));
        assertEquals(List.of(), KernelLog.kills(records, "/a/bb"));
        assertEquals(List.of(), KernelLog.kills(records, "/b"));
    }

    @Test
    void withoutALimitItWasTheHost() {
        String global = KILL.replace("oom_memcg=/a", "global_oom").replace("MEMCG", "NONE");
        assertEquals(
                List.of(new Kill(Optional.empty(), new Victim(42, Optional.of("tail")))),
                KernelLog.kills(List.of(global), "/a/b"));
    }

    @Test
    void allOfAGroupAreVictims() {
        var records = List.of(
                KILL,
                "6,701,5001,-;Tasks in /a/b are going to be killed due to memory.oom.group set\n",
                "3,702,5002,-;Memory cgroup out of memory: Killed process 42 (tail) total-vm:1kB, anon-rss:1kB\n",
                "3,703,5003,-;Memory cgroup out of memory: Killed process 43 (sh (x)) total-vm:1kB, anon-rss:1kB\n");
        assertEquals(List.of(kill("/a", 42, "tail"), kill("/a", 43, "sh (x")), KernelLog.kills(records, "/a/b"));
    }

    @Test
    void whatProcessesWriteIntoTheLogIsNotBelieved() {
        // The facility of what comes through /dev/kmsg is never the kernel's.
        assertEquals(List.of(), KernelLog.kills(List.of(KILL.replace("6,700", "14,700")), "/a/b"));
    }

    @Test
    void aNameCannotForgeAnotherProcess() {
        String tricky = KILL.replace("task=tail", "task=x,pid=1,uid=0");
        assertEquals(List.of(kill("/a", 42, "x,pid=1,uid=0")), KernelLog.kills(List.of(tricky), "/a/b"));
    }

    @Property
    void noRecordBreaksIt(@ForAll List<String> records) {
        var _ = KernelLog.kills(records, "/a");
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.oom;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.caisson.cgroups.spec.OutOfMemory.Victim;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Native;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What the kernel's log says of processes that the out-of-memory killer took. Only root may read it, in many containers nobody
 * can, it forgets, and the kernel holds lines back when there are too many.
 *
 * <p>A container may write to the log if it is given {@code /dev/kmsg}, but what it writes is marked as not the kernel's, and is
 * passed over here. What remains: names of processes and of cgroups inside it are its own choice.
 */
public final class KernelLog {
    private static final String FILE = "/dev/kmsg";
    private static final int LONGEST_RECORD = 8192;
    private static final int FACILITY_SHIFT = 3;

    // oom-kill:constraint=CONSTRAINT_MEMCG,...,oom_memcg=/a,task_memcg=/a/b,task=tail,pid=42,uid=0; oom_kill.c (Linux
    // 4.19)
    private static final Pattern KILL = Pattern.compile(
            "oom-kill:constraint=.*(?:oom_memcg=(?<level>.*)|global_oom),task_memcg=(?<cgroup>.*),task=(?<task>.*),"
                    + "pid=(?<pid>\\d{1,10}),uid=\\d+");
    private static final Pattern GROUP =
            Pattern.compile("Tasks in (?<cgroup>.*) are going to be killed due to memory\\.oom\\.group set");
    private static final Pattern MEMBER = Pattern.compile(
            "(?:Memory cgroup out|Out) of memory.*: Killed process (?<pid>\\d{1,10}) \\((?<task>.*?)\\).*");

    private KernelLog() {}

    /**
     * A process that was killed.
     *
     * @param level the path of the cgroup whose limit it was; empty if the machine had no memory left
     */
    public record Kill(Optional<String> level, Victim victim) {}

    /**
     * {@return the kills in a cgroup and below it, the oldest first; none if the log cannot be read}
     *
     * @param cgroup its path from the root of the hierarchy
     */
    public static List<Kill> kills(String cgroup) {
        try {
            return kills(records(), cgroup);
        } catch (LinuxException unreadable) {
            return List.of(); // Which is why it is an additional source only.
        }
    }

    /** {@return the kills that records of the log, as /dev/kmsg has them, tell of} */
    static List<Kill> kills(List<String> records, String cgroup) {
        var all = new ArrayList<Kill>();
        Optional<String> level = Optional.empty();
        boolean group = false;
        for (String record : records) {
            int semicolon = record.indexOf(';');
            if (semicolon < 0 || !isKernels(record)) {
                continue;
            }
            String text = record.substring(semicolon + 1).lines().findFirst().orElse("");
            var kill = KILL.matcher(text);
            var whole = GROUP.matcher(text);
            var member = MEMBER.matcher(text);
            if (kill.matches()) {
                group = false;
                level = Optional.ofNullable(kill.group("level"));
                if (isIn(kill.group("cgroup"), cgroup)) {
                    add(all, level, kill.group("pid"), kill.group("task"));
                }
            } else if (whole.matches()) {
                group = isIn(whole.group("cgroup"), cgroup) || isIn(cgroup, whole.group("cgroup"));
            } else if (group && member.matches()) {
                add(all, level, member.group("pid"), member.group("task"));
            }
        }
        return all;
    }

    /** The priority is a level and a facility; 0 is the kernel's, and nobody else can give it to a record. */
    private static boolean isKernels(String record) {
        int comma = record.indexOf(',');
        return comma > 0
                && comma < 6
                && record.chars().limit(comma).allMatch(Character::isDigit)
                && Integer.parseInt(record.substring(0, comma)) >> FACILITY_SHIFT == 0;
    }

    private static boolean isIn(String path, String cgroup) {
        return path.equals(cgroup) || path.startsWith(cgroup.equals("/") ? "/" : cgroup + "/");
    }

    private static void add(List<Kill> all, Optional<String> level, String pid, String name) {
        long number = Long.parseLong(pid);
        if (all.stream().noneMatch(k -> k.victim().pid() == number)) {
            all.add(new Kill(level, new Victim(number, Optional.of(name))));
        }
    }

    private static List<String> records() throws LinuxException {
        var all = new ArrayList<String>();
        try (var log = Files.open(FILE, OpenFlags.O_RDONLY | OpenFlags.O_NONBLOCK, 0);
                var arena = Arena.ofConfined()) {
            var buffer = arena.allocate(LONGEST_RECORD);
            while (true) {
                long read = Native.call(Syscall.READ, log.number(), buffer.address(), LONGEST_RECORD);
                if (read > 0) {
                    byte[] bytes = buffer.asSlice(0, read).toArray(JAVA_BYTE);
                    all.add(new String(bytes, StandardCharsets.UTF_8));
                } else if (read == 0 || read == -Errno.EAGAIN.code()) {
                    return all;
                } else if (read != -Errno.EPIPE.code()
                        && read != -Errno.EINTR.code()) { // EPIPE: records were forgotten.
                    throw new LinuxException(Native.errno(read), "read(" + FILE + ")");
                }
            }
        }
    }
}

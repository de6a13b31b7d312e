// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static dev.caisson.Samples.sh;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a container has of the way in which its JVM was started: nothing that would surprise it. */
@NeedsRoot
class InheritanceTest {
    static final class Jvm {
        private Jvm() {}

        public static void main(String[] args) throws Exception {
            for (var container :
                    List.of(Container.bare(), overHost(), overHost().init())) {
                System.out.println(
                        switch (args[0]) {
                            case "signals" ->
                                sh(
                                        container,
                                        "grep SigIgn /proc/self/status | tr -d '\\t\\n'; trap 'echo trapped; exit' HUP;"
                                                + " kill -HUP $$; echo not trapped");
                            case "descriptors" ->
                                sh(container, "ulimit -Sn; ulimit -Hn").replace('\n', ' ');
                            case "keys" -> sh(container.seccompUnconfined(), SEARCH);
                            default -> sh(container.cpuset("0-1"), "nproc");
                        });
            }
        }
    }

    private static final String KEYCTL =
            Integer.toString(Syscall.KEYCTL.number(Arch.host()).orElseThrow());

    /** Says whether there is a key of that name in the session keyring. */
    private static final String SEARCH = "perl -e 'print syscall(" + KEYCTL
            + ", 10, -3, my $t = \"user\", my $d = \"caisson-test\", 0) > 0 ? \"found\" : \"none\"'";

    @Test
    void noKeyOfTheHostsSessionIsSeen() throws Exception {
        String add = Integer.toString(Syscall.ADD_KEY.number(Arch.host()).orElseThrow());
        var session = List.of(
                "perl",
                "-e",
                "syscall(" + KEYCTL + ", 1, 0) > 0 or die; syscall(" + add
                        + ", my $t = 'user', my $d = 'caisson-test', my $p = 'secret', 6, -3) > 0 or die; exec @ARGV");
        // A bare command has what its JVM has.
        assertEquals("found none none", jvm(session, "keys"));
    }

    private static String jvm(List<String> prefix, String what) throws Exception {
        var jvm = JavaAs.oneself().behind(prefix.toArray(String[]::new)).run(Jvm.class.getName(), what);
        assertEquals(0, jvm.code(), jvm.output());
        return jvm.output().replaceAll("\\s+", " ").strip();
    }

    @Test
    void noSignalIsIgnoredThoughTheJvmIsUnderNohup() throws Exception {
        String each = "SigIgn:0000000000000000trapped";
        assertEquals(each + " " + each + " " + each, jvm(List.of("nohup"), "signals"));
    }

    @Test
    void theSoftLimitOfOpenFilesIsTheCallersAndNotWhatTheJvmRaisedItTo() throws Exception {
        // No exec: the shell is the parent that has the limit.
        String output = jvm(List.of("sh", "-c", "ulimit -Sn 777; \"$@\"; exit $?", "sh"), "descriptors");
        String[] numbers = output.split(" ");
        for (int i = 0; i < numbers.length; i += 2) {
            assertEquals("777", numbers[i], output);
            assertTrue(Long.parseLong(numbers[i + 1]) > 777, output);
        }
        assertEquals(6, numbers.length, output);
    }

    @Test
    void aCpusetIsUsedAsAWholeThoughTheJvmIsPinned() throws Exception {
        Need.TASKSET.orSkip();
        Need.PROCESSORS.orSkip(Runtime.getRuntime().availableProcessors() > 1, "needs more than one processor");
        assertEquals("2 2 2", jvm(List.of("taskset", "-c", "0"), "processors"));
    }
}

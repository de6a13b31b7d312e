// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import static dev.caisson.seccomp.Arg.arg;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Native;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.Needs;
import dev.caisson.testkit.NeedsRoot;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;

/** Filters in the kernel: on threads that end with the test, and on the whole of a JVM started for it. */
class InstallationTest {
    private static final Seccomp REFUSING = Seccomp.otherwise(Action.allow())
            .fail(new Errno(77), Syscall.GETPPID)
            .on(Action.fail(new Errno(78)), Syscall.PERSONALITY, arg(0).is(0x1_0000_0005L))
            .on(Action.fail(new Errno(79)), Syscall.PERSONALITY, arg(0).atLeast(0x7fff_ffff_ffffL));

    private static <T> T onNewThread(Callable<T> work) throws Exception {
        var task = new FutureTask<>(work);
        var thread = new Thread(task);
        thread.start();
        return task.get();
    }

    @Test
    void theKernelDecidesAsTheFilterDoes() throws Exception {
        var results = onNewThread(() -> {
            REFUSING.compile().install(Filter.Scope.THREAD, Filter.Privileges.NO_NEW);
            return List.of(
                    Native.call(Syscall.GETPPID, 0),
                    Native.call(Syscall.PERSONALITY, 0x1_0000_0005L),
                    Native.call(Syscall.PERSONALITY, -1L),
                    Native.call(Syscall.PERSONALITY, 0xffff_ffffL));
        });
        assertEquals(List.of(-77L, -78L, -79L), results.subList(0, 3));
        assertTrue(results.get(3) >= 0);
        assertTrue(Native.call(Syscall.GETPPID, 0) > 0, "other threads are not filtered");
    }

    @Test
    void theStandardPolicyIsTakenByTheKernel() throws Exception {
        var results = onNewThread(() -> {
            Seccomp.standard().compile().install(Filter.Scope.THREAD, Filter.Privileges.NO_NEW);
            return List.of(
                    Native.call(Syscall.PERSONALITY, 5),
                    Native.call(Syscall.CLONE3, 0, 0, 0),
                    Native.call(Syscall.UNSHARE, 0),
                    Native.call(Syscall.GETPPID, 0));
        });
        assertEquals(List.of(-1L, -38L, -1L), results.subList(0, 3));
        assertTrue(results.get(3) > 0);
    }

    @Test
    void aVirtualThreadIsRefused() throws Exception {
        var refused = new FutureTask<>(() -> assertThrows(
                IllegalStateException.class,
                () -> REFUSING.compile().install(Filter.Scope.THREAD, Filter.Privileges.NO_NEW)));
        Thread.ofVirtual().start(refused).join();
        assertTrue(String.valueOf(refused.get().getMessage()).contains("virtual thread"));
    }

    @Test
    void theHostsActionsAreThoseItListsAndEachIsTakenInAFilter() throws Exception {
        var listed = Files.readString(Path.of("/proc/sys/kernel/seccomp/actions_avail"))
                .strip()
                .split(" ");
        assertEquals(listed.length, SeccompSupport.probe().actions().size(), () -> String.join(" ", listed));
        for (var action : List.of(
                Action.log(),
                Action.trace(1),
                Action.supervise(),
                Action.trap(),
                Action.killThread(),
                Action.killProcess())) {
            if (SeccompSupport.has(action)) {
                var policy = Seccomp.otherwise(Action.allow()).on(action, Syscall.REBOOT);
                assertTrue(onNewThread(() -> {
                    policy.compile().install(Filter.Scope.THREAD, Filter.Privileges.NO_NEW);
                    return Native.call(Syscall.GETPPID, 0) > 0;
                }));
            }
        }
    }

    @Test
    void flagsAreTakenByTheKernel() throws Exception {
        for (var flag : List.of(Filter.Flag.LOG, Filter.Flag.SPEC_ALLOW)) {
            if (SeccompSupport.has(flag)) {
                assertEquals(-77L, onNewThread(() -> {
                    REFUSING.flags(flag).compile().install(Filter.Scope.THREAD, Filter.Privileges.NO_NEW);
                    return Native.call(Syscall.GETPPID, 0);
                }));
            }
        }
    }

    @Test
    void aComputingThreadComputesAndItsProcessDiesIfItDoesMore() throws Exception {
        assertEquals("computed 499500", childJvm(List.of(), ComputingChild.class, "compute"));
        assertEquals("", childJvm(List.of("/bin/sh", "-c", "\"$0\" \"$@\" 2>/dev/null"), ComputingChild.class, "more"));
    }

    @Test
    void thisHostHasWhatItsKernelIsKnownToHave() {
        var support = SeccompSupport.probe();
        assertTrue(support.actions().contains(Action.Fail.class), support::toString);
        assertTrue(support.flags().contains(Filter.Flag.TSYNC), support::toString);
    }

    @Test
    @NeedsRoot
    @Needs(Need.SETPRIV)
    void withoutPrivilegeTheErrorNamesTheRemedyAndNothingIsInstalled() throws Exception {
        assertEquals(
                "refused, mode 0",
                childJvm(List.of("setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", "--"), "keep"));
    }

    @Test
    void theWholeJvmIsFiltered() throws Exception {
        assertEquals("all threads refused, mode 2", childJvm(List.of(), "process"));
    }

    private static String childJvm(List<String> prefix, String mode) throws IOException, InterruptedException {
        return childJvm(prefix, InstallationChild.class, mode);
    }

    private static String childJvm(List<String> prefix, Class<?> main, String mode)
            throws IOException, InterruptedException {
        var command = new java.util.ArrayList<>(prefix);
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        command.addAll(List.of(
                java.toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:-CreateCoredumpOnCrash",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName(),
                mode));
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        process.waitFor();
        return said;
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Native;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.FutureTask;

/** The JVM that {@link InstallationTest} filters. */
final class InstallationChild {
    private InstallationChild() {}

    public static void main(String[] args) throws Exception {
        var filter = Seccomp.otherwise(Action.allow())
                .fail(new Errno(77), Syscall.GETPPID)
                .compile();
        var gate = new java.util.concurrent.CountDownLatch(1);
        var other = new FutureTask<>(() -> {
            gate.await();
            return Native.call(Syscall.GETPPID, 0);
        });
        new Thread(other).start();
        String said;
        try {
            filter.install(
                    args[0].equals("process") ? Filter.Scope.PROCESS : Filter.Scope.THREAD,
                    args[0].equals("keep") ? Filter.Privileges.KEEP : Filter.Privileges.NO_NEW);
            gate.countDown();
            said = other.get() == -77 && Native.call(Syscall.GETPPID, 0) == -77 ? "all threads refused" : "not refused";
        } catch (IOException refused) {
            gate.countDown();
            said = String.valueOf(refused.getMessage()).contains("Privileges.NO_NEW")
                    ? "refused"
                    : refused.getMessage();
        }
        String mode = Files.readAllLines(Path.of("/proc/thread-self/status")).stream()
                .filter(line -> line.startsWith("Seccomp:"))
                .findFirst()
                .orElse("")
                .replaceFirst("Seccomp:\\s*", "");
        System.out.println(said + ", mode " + mode);
    }
}

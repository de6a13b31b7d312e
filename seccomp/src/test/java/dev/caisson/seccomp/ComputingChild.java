// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Native;
import java.util.concurrent.atomic.AtomicLong;

/** The JVM in which {@link InstallationTest} lets a thread compute, and perhaps do more. */
final class ComputingChild {
    private ComputingChild() {}

    public static void main(String[] args) throws Exception {
        var filter = Seccomp.pureComputation().compile();
        var result = new AtomicLong();
        // All classes are loaded before: no file can be opened later.
        result.addAndGet(Native.call(Syscall.SCHED_YIELD, 0));
        boolean more = args[0].equals("more");
        var thread = new Thread(() -> {
            try {
                filter.install(Filter.Scope.THREAD, Filter.Privileges.NO_NEW);
            } catch (java.io.IOException refused) {
                result.set(-1);
                return;
            }
            for (int i = 0; i < 1000; i++) {
                result.addAndGet(i);
            }
            result.addAndGet(Native.call(Syscall.SCHED_YIELD, 0));
            if (more) {
                result.set(Native.call(Syscall.SOCKET, 1, 1, 0));
            }
        });
        thread.start();
        thread.join();
        System.out.println("computed " + result);
    }
}

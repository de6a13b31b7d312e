// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.mount;

import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Call;
import dev.caisson.linux.sys.HereRunner;
import dev.caisson.linux.sys.OnPlatformThread;
import java.io.IOException;

/**
 * A mount namespace for one piece of work, on a thread of its own that ends with it: for what must be mounted somewhere for a
 * moment, without the host ever seeing it.
 */
final class PrivateNamespace {
    private static final long CLONE_NEWNS = 0x20000;
    private static final long MS_REC_PRIVATE = 0x4000 | 1 << 18;

    private PrivateNamespace() {}

    static <T> T run(OnPlatformThread.Work<T> work) throws IOException {
        // What is unshared belongs to that thread alone, and goes with it.
        return OnPlatformThread.call("caisson-mount", () -> {
            HereRunner.run(Call.of(Syscall.UNSHARE, Arg.named(CLONE_NEWNS, "CLONE_NEWNS")));
            HereRunner.run(Call.of(
                    Syscall.MOUNT,
                    Arg.nullPointer(),
                    Arg.text("/"),
                    Arg.nullPointer(),
                    Arg.named(MS_REC_PRIVATE, "MS_REC|MS_PRIVATE"),
                    Arg.nullPointer()));
            return work.call();
        });
    }
}

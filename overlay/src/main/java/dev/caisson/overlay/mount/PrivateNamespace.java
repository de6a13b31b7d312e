// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.mount;

import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Call;
import dev.caisson.linux.flag.CloneFlags;
import dev.caisson.linux.flag.MountFlags;
import dev.caisson.linux.sys.HereRunner;
import dev.caisson.linux.sys.OnPlatformThread;
import java.io.IOException;

/**
 * A mount namespace for one piece of work, on a thread of its own that ends with it: for what must be mounted somewhere for a
 * moment, without the host ever seeing it.
 */
final class PrivateNamespace {

    private PrivateNamespace() {}

    static <T> T run(OnPlatformThread.Work<T> work) throws IOException {
        // What is unshared belongs to that thread alone, and goes with it.
        return OnPlatformThread.call("caisson-mount", () -> {
            HereRunner.run(Call.of(Syscall.UNSHARE, CloneFlags.of(CloneFlags.CLONE_NEWNS)));
            HereRunner.run(Call.of(
                    Syscall.MOUNT,
                    Arg.nullPointer(),
                    Arg.text("/"),
                    Arg.nullPointer(),
                    MountFlags.of(MountFlags.MS_REC | MountFlags.MS_PRIVATE),
                    Arg.nullPointer()));
            return work.call();
        });
    }
}

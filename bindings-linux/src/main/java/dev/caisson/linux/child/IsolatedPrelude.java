// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;

/** What a child does in the JVM's memory before it becomes the isolated image: keep its descriptors, keep its privilege. */
final class IsolatedPrelude {
    private static final int F_SETFD = 2;
    private static final int AT_EMPTY_PATH = 0x1000;
    private static final long CLONE_NEWUSER = 0x10000000;
    private static final int CAPABILITY_VERSION_3 = 0x20080522;
    private static final int PR_CAP_AMBIENT = 47;
    private static final int PR_CAP_AMBIENT_RAISE = 2;
    private static final int LAST_CAPABILITY = 40;

    private IsolatedPrelude() {}

    static EncodedProgram encode(Collection<Integer> descriptors, int image, long flags) {
        var program = SyscallProgram.builder().phase("isolate");
        program.purpose("keep the descriptors of the launch");
        for (int descriptor : new TreeSet<>(descriptors)) {
            program.call(Syscall.FCNTL, Arg.of(descriptor), Arg.named(F_SETFD, "F_SETFD"), Arg.of(0));
        }
        if ((flags & CLONE_NEWUSER) != 0) {
            keepCapabilities(program);
        }
        program.purpose("become the isolated image");
        program.execute(
                OnError.fail(),
                Syscall.EXECVEAT,
                Arg.of(image),
                Arg.text(""),
                Arg.argv(List.of("caisson")),
                Arg.envp(List.of()),
                Arg.named(AT_EMPTY_PATH, "AT_EMPTY_PATH"));
        return Encoder.encode(program.build(), Arch.host());
    }

    /** In a new user namespace without a map we are nobody, and an execve by nobody keeps ambient capabilities only. */
    private static void keepCapabilities(SyscallProgram.Builder program) {
        program.purpose("keep the capabilities of the new user namespace");
        program.call(
                Syscall.CAPSET,
                Arg.ints("{_LINUX_CAPABILITY_VERSION_3, 0}", CAPABILITY_VERSION_3, 0),
                Arg.ints("{effective=all, permitted=all, inheritable=all}", -1, -1, -1, -1, -1, -1));
        for (int capability = 0; capability <= LAST_CAPABILITY; capability++) {
            program.call(
                    OnError.ignore(Errno.EINVAL), // A kernel may have fewer.
                    Syscall.PRCTL,
                    Arg.named(PR_CAP_AMBIENT, "PR_CAP_AMBIENT"),
                    Arg.named(PR_CAP_AMBIENT_RAISE, "PR_CAP_AMBIENT_RAISE"),
                    Arg.of(capability),
                    Arg.of(0),
                    Arg.of(0));
        }
    }
}

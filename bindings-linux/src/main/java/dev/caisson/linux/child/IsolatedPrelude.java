// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static dev.caisson.linux.flag.DescriptorCommands.F_SETFD;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.flag.AtFlags;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;

/** What a child does in the JVM's memory before it becomes the isolated image: keep its descriptors. */
final class IsolatedPrelude {

    private IsolatedPrelude() {}

    static EncodedProgram encode(Collection<Integer> descriptors, int image) {
        var program = SyscallProgram.builder().phase("isolate");
        program.purpose("keep the descriptors of the launch");
        for (int descriptor : new TreeSet<>(descriptors)) {
            program.call(Syscall.FCNTL, Arg.of(descriptor), Arg.named(F_SETFD, "F_SETFD"), Arg.of(0));
        }
        program.purpose("become the isolated image");
        program.execute(
                OnError.fail(),
                Syscall.EXECVEAT,
                Arg.of(image),
                Arg.text(""),
                Arg.argv(List.of("caisson")),
                Arg.envp(List.of()),
                AtFlags.of(AtFlags.AT_EMPTY_PATH));
        return Encoder.encode(program.build(), Arch.host());
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static dev.caisson.linux.call.Arg.of;
import static dev.caisson.linux.call.Arg.text;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.flag.AtFlags;
import java.util.List;

/** How a child of the zygote becomes a shim: it has what main.c says under the numbers it says, and nothing else. */
final class ShimSteps {
    static final Arg.Slot SOCKET = Arg.slot("socket");
    static final Arg.Slot DIRECTORY = Arg.slot("directory");
    static final Arg.Slot LOCK = Arg.slot("lock");
    static final Arg.Slot PAGE = Arg.slot("page");
    static final Arg.Slot IMAGE = Arg.slot("image");

    static final EncodedProgram PROGRAM = Encoder.encode(program(), Arch.host());

    private ShimSteps() {}

    private static SyscallProgram program() {
        var program = SyscallProgram.builder().phase("supervisor");
        program.purpose("give the supervisor what it begins with");
        var all = List.of(SOCKET, SOCKET, SOCKET, DIRECTORY, LOCK, PAGE);
        for (int number = 0; number < all.size(); number++) {
            program.call(Syscall.DUP3, all.get(number), of(number), of(0));
        }
        program.purpose("become the supervisor, which nothing of the JVM is left to");
        program.execute(
                OnError.fail(),
                Syscall.EXECVEAT,
                IMAGE,
                text(""),
                Arg.argv(List.of("caisson-shim")),
                Arg.envp(List.of()),
                AtFlags.of(AtFlags.AT_EMPTY_PATH));
        return program.build();
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static dev.caisson.linux.call.Arg.named;
import static dev.caisson.linux.call.Arg.of;
import static dev.caisson.linux.call.Arg.text;

import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.Step;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.linux.flag.MessageFlags;
import dev.caisson.linux.flag.OpenFlags;
import java.util.Map;
import java.util.TreeMap;

/**
 * Hands the root to the JVM, so that it can reach the container's files while it runs and after its end, however short its
 * life was: the root, the workshop with the writable layer in memory, and the mount namespace, without which everything that
 * is mounted on the root would be gone with the last process.
 */
final class KeepSteps {
    private static final int HEADER = 16;
    private static final int DESCRIPTORS = 3;
    private static final int LENGTH = HEADER + DESCRIPTORS * Integer.BYTES;
    private static final int SPACE = LENGTH + Integer.BYTES;

    private final SyscallProgram.Builder program;

    KeepSteps(SyscallProgram.Builder program) {
        this.program = program;
    }

    void plan(Arg root, Arg workshop) {
        program.purpose("let the JVM keep the root, to read and write its files");
        var namespace = program.result(
                "mount namespace",
                Syscall.OPENAT,
                MountCalls.AT_FDCWD,
                text("/proc/self/ns/mnt"),
                OpenFlags.of(OpenFlags.O_RDONLY | OpenFlags.O_CLOEXEC));
        // struct cmsghdr { size_t len; int level; int type; } and the descriptors after it
        var rights = Arg.buffer("kept descriptors", SPACE);
        program.store(Step.Width.LONG, rights, of(LENGTH));
        program.store(
                Step.Width.LONG,
                program.sum("level and type", rights, of(8)),
                named(1L << 32 | 1, "{SOL_SOCKET, SCM_RIGHTS}"));
        int at = HEADER;
        for (var descriptor : new Arg[] {root, workshop, namespace}) {
            program.store(Step.Width.INT, program.sum("descriptor", rights, of(at)), descriptor);
            at += Integer.BYTES;
        }
        program.call(Syscall.SENDMSG, Slots.KEPT, message(rights), MessageFlags.of(MessageFlags.MSG_NOSIGNAL));
    }

    private static Arg message(Arg rights) {
        var vector = new Arg.Struct(
                words(0, 1), new TreeMap<>(Map.of(0, Arg.bytes(new byte[1], "\"\\0\""))), "[{\"\\0\", 1}]");
        // struct msghdr { name, namelen, iov, iovlen, control, controllen, flags }, eight bytes each
        return new Arg.Struct(
                words(0, 0, 0, 1, 0, SPACE, 0),
                new TreeMap<>(Map.of(16, vector, 32, rights)),
                "{iov=[{\"\\0\", 1}], control=[{SCM_RIGHTS, [root, workshop, mount namespace]}]}");
    }

    private static byte[] words(long... words) {
        return Arg.words("", words).data();
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static dev.caisson.linux.call.Arg.named;
import static dev.caisson.linux.call.Arg.nullPointer;
import static dev.caisson.linux.call.Arg.of;
import static dev.caisson.linux.flag.DescriptorCommands.F_DUPFD_CLOEXEC;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.flag.MapFlags;
import dev.caisson.linux.flag.MessageFlags;
import dev.caisson.linux.flag.OpenFlags;
import java.util.Optional;

/**
 * The end of a program whose rest comes later: the child lets go of all descriptors, says that it has come so far, and waits.
 *
 * <pre>
 *   descriptors   0, 1, 2, 3   the socket to the launcher, so that nothing arrives below
 *                 4            what the first part leaves to the rest, or the socket once more
 *                 5 ...        what comes with the rest, in the order of the message
 *   addresses     12 GB        the table of the rest
 *   message       +0 long      its size
 *                 +8 int       the descriptor of the file that it is, or 0: then it follows
 * </pre>
 */
final class AwaitSteps {
    static final long REST_ADDRESS = 3L << 32;

    /** The most of a table that follows the message, so that sending it never waits; larger ones are a file in memory. */
    static final int LARGEST_INLINE = 64 * 1024;

    static final int SOCKET = 3;
    static final int LEFT = 4;
    static final int FIRST_ARRIVED = 5;

    static final int SIZE = 0;
    static final int FILE = 8;
    static final int HEAD_SIZE = 16;

    /** As many as a message can carry (SCM_MAX_FD). */
    static final int MOST_ARRIVE = 253;

    private static final int HEADER = 56;
    private static final int CONTROL = 16 + 4 * (MOST_ARRIVE + 1);
    private static final Arg O_CLOEXEC = OpenFlags.of(OpenFlags.O_CLOEXEC);
    private static final Arg READ_WRITE = named(MapFlags.PROT_READ | MapFlags.PROT_WRITE, "PROT_READ|PROT_WRITE");
    private static final Arg PRIVATE_FIXED = MapFlags.of(MapFlags.MAP_PRIVATE | MapFlags.MAP_FIXED);
    private static final Arg PRIVATE_ANONYMOUS_FIXED =
            MapFlags.of(MapFlags.MAP_PRIVATE | MapFlags.MAP_ANONYMOUS | MapFlags.MAP_FIXED);
    private static final Arg REST = named(REST_ADDRESS, "rest");
    private static final Arg HEAD = Arg.buffer("head of the rest", HEAD_SIZE);

    private AwaitSteps() {}

    /** @param left a descriptor that the rest uses */
    static void add(SyscallProgram.Builder program, Optional<Arg> left) {
        holdNothing(program, left);
        receive(program);
        program.purpose("have the rest of the program, and do it");
        var inline = program.label();
        var whole = program.label();
        var size = program.load("size", Step.Width.LONG, HEAD);
        var file = program.load("file", Step.Width.INT, program.sum("at", HEAD, of(FILE)));
        program.branch(Step.Condition.EQUAL, file, of(0), inline);
        program.call(Syscall.MMAP, REST, size, READ_WRITE, PRIVATE_FIXED, file, of(0));
        program.call(Syscall.CLOSE, file);
        program.jump(whole);
        program.bind(inline);
        var length = program.result(
                "length",
                Syscall.RECVFROM,
                of(SOCKET),
                REST,
                size,
                MessageFlags.of(MessageFlags.MSG_WAITALL),
                nullPointer(),
                nullPointer());
        program.branch(Step.Condition.EQUAL, length, size, whole);
        program.fail(named(Errno.ECANCELED.code(), "ECANCELED"));
        program.bind(whole);
        program.enter(REST);
    }

    private static void holdNothing(SyscallProgram.Builder program, Optional<Arg> left) {
        program.purpose("hold nothing but the way to the launcher", "Linux 5.9");
        var socket = beyond(program, "socket", SyscallProgram.GATE);
        var kept = left.map(descriptor -> beyond(program, "left", descriptor));
        for (int number = 0; number <= SOCKET; number++) {
            program.call(Syscall.DUP3, socket, of(number), O_CLOEXEC);
        }
        program.call(Syscall.DUP3, kept.orElse(socket), of(LEFT), O_CLOEXEC);
        program.store(Step.Width.INT, SyscallProgram.REPORT_WORD, of(SOCKET));
        program.call(Syscall.CLOSE_RANGE, of(FIRST_ARRIVED), named(0xffff_ffffL, "~0U"), of(0));
        program.purpose("have room for the rest of the program");
        program.call(Syscall.MMAP, REST, of(LARGEST_INLINE), READ_WRITE, PRIVATE_ANONYMOUS_FIXED, of(-1), of(0));
    }

    private static Arg beyond(SyscallProgram.Builder program, String name, Arg descriptor) {
        return program.result(
                name, Syscall.FCNTL, descriptor, named(F_DUPFD_CLOEXEC, "F_DUPFD_CLOEXEC"), of(FIRST_ARRIVED));
    }

    private static void receive(SyscallProgram.Builder program) {
        var vector = Arg.buffer("iov of the rest", 2 * Long.BYTES);
        var header = Arg.buffer("msghdr of the rest", HEADER);
        put(program, vector, 0, HEAD);
        put(program, vector, 8, of(HEAD_SIZE));
        put(program, header, 16, vector);
        put(program, header, 24, of(1));
        put(program, header, 32, Arg.buffer("control of the rest", CONTROL));
        put(program, header, 40, of(CONTROL));
        program.purpose("wait to be told what to run");
        program.call(
                Syscall.SENDTO,
                of(SOCKET),
                Arg.ints("{waiting}", TableLayout.WAITING, 0, 0, 0),
                of(TableLayout.REPORT_SIZE),
                MessageFlags.of(MessageFlags.MSG_NOSIGNAL),
                nullPointer(),
                of(0));
        var told = program.label();
        var complete = program.label();
        var received = program.result(
                "received", Syscall.RECVMSG, of(SOCKET), header, MessageFlags.of(MessageFlags.MSG_CMSG_CLOEXEC));
        program.branch(Step.Condition.EQUAL, received, of(HEAD_SIZE), told);
        program.purpose("end, since nobody is left who could tell");
        program.call(Syscall.EXIT_GROUP, of(127));
        program.bind(told);
        var flags = program.load("flags", Step.Width.INT, program.sum("at", header, of(48)));
        var incomplete = MessageFlags.of(MessageFlags.MSG_TRUNC | MessageFlags.MSG_CTRUNC);
        var refused = program.label();
        program.branch(Step.Condition.ANY_BIT, flags, incomplete, refused);
        program.jump(complete);
        program.bind(refused);
        program.fail(named(Errno.EMFILE.code(), "EMFILE"));
        program.bind(complete);
    }

    private static void put(SyscallProgram.Builder program, Arg structure, int offset, Arg value) {
        program.store(Step.Width.LONG, program.sum("at", structure, of(offset)), value);
    }
}

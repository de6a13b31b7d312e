// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static dev.caisson.linux.child.SyscallProgram.GATE;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.flag.MessageFlags;
import java.util.TreeMap;

/**
 * The child's side of a {@link Handover}. Either it sends the descriptor itself, or, where what it has become may not make
 * such a call any more, it makes none: it waits for the launcher to fetch the descriptor and to say so in its memory.
 */
final class HandoverSteps {
    /** Where the words of an offer lie: whether there is one, the descriptor, and whether it was taken. */
    static final int OFFERED = 0;

    static final int NUMBER = 8;
    static final int TAKEN = 16;
    static final int OFFER_SIZE = 24;

    private static final long SOL_SOCKET_SCM_RIGHTS = 1L << 32 | 1;
    static final int CMSG_SIZE = 24;
    private static final int CMSG_LENGTH = 20;
    private static final int MSGHDR_SIZE = 56;

    /** Some ten seconds: nobody would end a child whose JVM has died. */
    private static final long PATIENCE = 1L << 31;

    private HandoverSteps() {}

    /**
     * <pre>
     *   struct cmsghdr   +0 cmsg_len, +8 cmsg_level, +12 cmsg_type, +16 the descriptor
     *   struct msghdr    +16 msg_iov, +24 msg_iovlen, +32 msg_control, +40 msg_controllen
     * </pre>
     */
    static Arg.ResultOf send(SyscallProgram.Builder program, int gate, String name, Syscall syscall, Arg... args) {
        var control = Arg.buffer("control of " + name, CMSG_SIZE);
        fillControl(program, control);
        var place = program.sum("place", control, Arg.of(2 * Long.BYTES));
        var message = message(name, gate, control);
        var descriptor = program.result(name, syscall, args);
        // From here on only what the filter allows: in between are no calls.
        program.store(Step.Width.INT, place, descriptor);
        program.call(Syscall.SENDMSG, program.descriptor(GATE), message, MessageFlags.of(MessageFlags.MSG_NOSIGNAL));
        return descriptor;
    }

    static void fillControl(SyscallProgram.Builder program, Arg.Buffer control) {
        program.store(Step.Width.LONG, control, Arg.of(CMSG_LENGTH));
        program.store(
                Step.Width.LONG, program.sum("level", control, Arg.of(Long.BYTES)), Arg.of(SOL_SOCKET_SCM_RIGHTS));
    }

    /** {@return the message of a gate that comes with a descriptor} */
    static Arg.Struct message(String name, int gate, Arg.Buffer control) {
        var vector = new TreeMap<Integer, Arg>();
        vector.put(0, Arg.ints("\"" + name + "\"", TableLayout.AT_A_GATE, gate, 0, 0));
        byte[] iovec = new byte[2 * Long.BYTES];
        iovec[Long.BYTES] = TableLayout.REPORT_SIZE;
        var pointers = new TreeMap<Integer, Arg>();
        pointers.put(16, new Arg.Struct(iovec, vector, "[{\"" + name + "\", 16}]"));
        pointers.put(32, control);
        byte[] msghdr = new byte[MSGHDR_SIZE];
        msghdr[24] = 1;
        msghdr[40] = CMSG_SIZE;
        return new Arg.Struct(msghdr, pointers, "{\"" + name + "\", SCM_RIGHTS, [<" + name + ">]}");
    }

    static Arg.ResultOf offer(SyscallProgram.Builder program, int gate, String name, Syscall syscall, Arg... args) {
        var offer = Arg.buffer("offer of " + name, OFFER_SIZE);
        var pointers = new TreeMap<Integer, Arg>();
        pointers.put(TableLayout.GATE_ADDRESS, offer);
        byte[] message = new byte[TableLayout.REPORT_SIZE];
        message[TableLayout.STATE] = TableLayout.AT_A_GATE;
        message[TableLayout.GATE_NUMBER] = (byte) gate;
        program.knock(new Arg.Struct(message, pointers, "{\"" + name + "\", " + offer.text() + "}"));
        var number = program.sum("number", offer, Arg.of(NUMBER));
        var taken = program.sum("taken", offer, Arg.of(TAKEN));
        var again = program.label();
        var done = program.label();
        var descriptor = program.result(name, syscall, args);
        // From here on no call at all: whatever the filter is, it has nothing to say.
        program.store(Step.Width.INT, number, descriptor);
        program.store(Step.Width.INT, offer, Arg.of(1));
        program.bind(again);
        var word = program.load("word", Step.Width.INT, taken);
        program.branch(Step.Condition.NOT_EQUAL, word, Arg.of(0), done);
        var count = program.count("waited");
        program.branch(Step.Condition.LESS, count, Arg.of(PATIENCE), again);
        program.fail(Arg.named(Errno.ETIMEDOUT.code(), "ETIMEDOUT"));
        program.bind(done);
        return descriptor;
    }
}

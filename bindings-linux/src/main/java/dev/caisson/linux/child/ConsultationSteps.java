// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static dev.caisson.linux.child.SyscallProgram.GATE;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.flag.MessageFlags;
import java.util.List;

/** The child's side of a {@link Consultation}: a message with the descriptor, then the answer, piece by piece. */
final class ConsultationSteps {

    private ConsultationSteps() {}

    static void add(SyscallProgram.Builder program, int gate, String name, Arg descriptor, List<Arg.Buffer> answers) {
        var control = Arg.buffer("control of " + name, HandoverSteps.CMSG_SIZE);
        HandoverSteps.fillControl(program, control);
        program.store(Step.Width.INT, program.sum("place", control, Arg.of(2 * Long.BYTES)), descriptor);
        program.call(
                Syscall.SENDMSG,
                program.descriptor(GATE),
                HandoverSteps.message(name, gate, control),
                MessageFlags.of(MessageFlags.MSG_NOSIGNAL));
        program.awaitAgreement();
        for (var answer : answers) {
            var whole = program.label();
            var length = program.result(
                    "length",
                    Syscall.RECVFROM,
                    program.descriptor(GATE),
                    answer,
                    Arg.of(answer.size()),
                    MessageFlags.of(MessageFlags.MSG_WAITALL),
                    Arg.nullPointer(),
                    Arg.nullPointer());
            program.branch(Step.Condition.EQUAL, length, Arg.of(answer.size()), whole);
            program.fail(Arg.named(Errno.ECANCELED.code(), "ECANCELED"));
            program.bind(whole);
        }
    }
}

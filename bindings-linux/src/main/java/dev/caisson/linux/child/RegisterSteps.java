// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static dev.caisson.linux.call.Arg.of;

import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.flag.MessageFlags;
import java.util.TreeMap;

/**
 * A child that was cloned from the JVM itself tells the zygote of itself before it does anything else: this JVM, which the
 * kernel holds until the child's execve, would be too late if it were killed meanwhile.
 */
final class RegisterSteps {
    private static final int CMSG_LENGTH = 20;
    private static final int CMSG_SIZE = 24;
    private static final int MSGHDR_SIZE = 56;
    private static final long SOL_SOCKET_SCM_RIGHTS = 1L << 32 | 1;

    private RegisterSteps() {}

    static void add(SyscallProgram.Builder program) {
        program.purpose("have the zygote end the child if the JVM ends first");
        var control = Arg.buffer("control", CMSG_SIZE);
        var head = Arg.buffer("head", ZygoteProgram.HEAD_SIZE);
        var pid = program.result("pid", Syscall.GETPID);
        var pidfd = program.result(OnError.ignore(), "pidfd", Syscall.PIDFD_OPEN, pid, of(0));
        program.store(Step.Width.LONG, control, of(CMSG_LENGTH));
        program.store(Step.Width.LONG, program.sum("level", control, of(8)), of(SOL_SOCKET_SCM_RIGHTS));
        program.store(Step.Width.INT, program.sum("descriptor", control, of(16)), pidfd);
        program.store(Step.Width.INT, head, of(ZygoteProgram.WATCH));
        program.store(Step.Width.INT, program.sum("place", head, of(ZygoteProgram.PLACE)), SyscallProgram.PLACE);
        // Not worth a wait: if the zygote is gone or stopped, the JVM makes another one and tells that.
        program.call(
                OnError.ignore(),
                Syscall.SENDMSG,
                SyscallProgram.ZYGOTE,
                message(control, head),
                MessageFlags.of(MessageFlags.MSG_NOSIGNAL | MessageFlags.MSG_DONTWAIT));
        program.call(OnError.ignore(), Syscall.CLOSE, pidfd);
    }

    private static Arg message(Arg control, Arg head) {
        var vector = new byte[16];
        vector[8] = ZygoteProgram.HEAD_SIZE;
        var header = new byte[MSGHDR_SIZE];
        header[24] = 1;
        header[40] = CMSG_SIZE;
        var pointers = new TreeMap<Integer, Arg>();
        var iov = new TreeMap<Integer, Arg>();
        iov.put(0, head);
        pointers.put(16, new Arg.Struct(vector, iov, "[{WATCH, <place>}]"));
        pointers.put(32, control);
        return new Arg.Struct(header, pointers, "{WATCH, <place>, SCM_RIGHTS, [<pidfd>]}");
    }
}

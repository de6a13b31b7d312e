// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static dev.caisson.linux.call.Arg.of;
import static dev.caisson.linux.call.Arg.text;

import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.child.Step;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.linux.flag.OpenFlags;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * Whom the command runs as, where only the finished root can tell: the child shows it to the JVM, which reads /etc/passwd
 * and /etc/group in it and answers with numbers and the home directory.
 *
 * <pre>
 *   numbers  +0 uid, +4 gid, +8 how many groups, +12 the groups, four bytes each
 *   home     "HOME=...", NUL-terminated, as it goes into the environment
 * </pre>
 */
final class AccountSteps {
    /** The gate at which the JVM is asked. */
    static final String GATE = "user";

    private static final int GID = 4;
    private static final int COUNT = 8;
    private static final int GROUPS = 12;
    private static final int MOST_GROUPS = 256;
    private static final String VARIABLE = "HOME=";
    private static final Arg.Buffer NUMBERS = Arg.buffer("user", GROUPS + MOST_GROUPS * Integer.BYTES);

    /** The variable of the environment with the home directory. */
    static final Arg.Buffer HOME = Arg.buffer("home", 1024);

    private final SyscallProgram.Builder program;

    AccountSteps(SyscallProgram.Builder program) {
        this.program = program;
    }

    /** What setgroups(2) and its like get. */
    record Numbers(Arg uid, Arg gid, Arg groupCount, Arg groups) {}

    /** @param root the finished root */
    void ask(Arg root) {
        program.purpose("ask the JVM who the user is, by the /etc/passwd of the finished root");
        program.consult(GATE, root, List.of(NUMBERS, HOME));
    }

    /** As above, for a command whose root is not its own. */
    void askAboutRoot() {
        program.purpose("ask the JVM who the user is, by the /etc/passwd of the root");
        ask(program.result(
                "root",
                Syscall.OPENAT,
                MountCalls.AT_FDCWD,
                text("/"),
                OpenFlags.of(OpenFlags.O_PATH | OpenFlags.O_CLOEXEC)));
    }

    /** {@return what was answered} */
    Numbers answered() {
        return new Numbers(
                program.load("uid", Step.Width.INT, NUMBERS),
                number("gid", GID),
                number("groups", COUNT),
                program.sum("groups", NUMBERS, of(GROUPS)));
    }

    private Arg number(String name, int offset) {
        return program.load(name, Step.Width.INT, program.sum(name + " field", NUMBERS, of(offset)));
    }

    /**
     * {@return an answer in the form that the child reads}
     *
     * @throws IOException if it does not fit
     */
    static byte[] encode(Principal principal) throws IOException {
        byte[] home = FileNames.encode(VARIABLE + principal.home());
        if (principal.groups().size() > MOST_GROUPS || home.length >= HOME.size()) {
            throw new IOException("user: " + principal.uid() + " is in "
                    + principal.groups().size()
                    + " groups of the container's /etc/group, and its home has "
                    + principal.home().length()
                    + " characters; " + MOST_GROUPS + " groups and " + (HOME.size() - VARIABLE.length() - 1)
                    + " characters are the most: name the user and group by number");
        }
        var answer = ByteBuffer.allocate(NUMBERS.size() + HOME.size()).order(ByteOrder.nativeOrder());
        answer.putInt(principal.uid())
                .putInt(principal.gid())
                .putInt(principal.groups().size());
        principal.groups().forEach(answer::putInt);
        answer.position(NUMBERS.size()).put(home);
        return answer.array();
    }
}

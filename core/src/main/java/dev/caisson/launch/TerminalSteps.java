// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static dev.caisson.linux.call.Arg.named;
import static dev.caisson.linux.call.Arg.of;
import static dev.caisson.linux.call.Arg.text;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.OnError;
import dev.caisson.linux.child.Step;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.flag.ResolveFlags;
import dev.caisson.linux.flag.Terminals;
import dev.caisson.linux.sys.TerminalModes;
import dev.caisson.spec.Stdio;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * The terminal of a command. The child opens it in the devpts instance that the command will see, so that its name means
 * something there and its number says nothing of the host, and hands the master over to the JVM. Nothing is opened by a name
 * that an image has a say in (CVE-2025-52565): the other end comes from the master, and /dev/console is a mount of that.
 */
final class TerminalSteps {
    /** Where the JVM gets the master. */
    static final String GATE = "terminal";

    private static final Arg STDIN = of(0);
    private static final long OPEN = OpenFlags.O_RDWR | OpenFlags.O_NOCTTY | OpenFlags.O_CLOEXEC;
    private static final long DEVPTS = 0x1cd1;
    private static final Arg.Buffer STATFS = Arg.buffer("statfs", 120);

    private final PlanInput input;
    private final SyscallProgram.Builder program;

    TerminalSteps(PlanInput input, SyscallProgram.Builder program) {
        this.input = input;
        this.program = program;
    }

    private boolean isOf(TerminalOrigin origin) {
        return input.terminalOrigin().filter(o -> o == origin).isPresent();
    }

    /**
     * For a container with a /dev of its own.
     *
     * @param dev the mount of it
     * @return the command's end, if it has a terminal
     */
    Optional<Arg> planOwn(MountCalls mounts, Arg dev) {
        if (!isOf(TerminalOrigin.CONTAINER)) {
            return Optional.empty();
        }
        program.purpose("find the container's devpts");
        var terminal = open(mounts.resolve(OnError.fail(), dev, "pts", MountCalls.NO_SYMLINKS));
        program.purpose("show the terminal as /dev/console", "CAP_SYS_ADMIN");
        program.call(Syscall.MKNODAT, dev, text("console"), named(0100600, "S_IFREG|0600"), of(0));
        mounts.attach(mounts.cloneOf("console", terminal, "", false), dev, "console");
        return Optional.of(terminal);
    }

    /**
     * For a command in a mount namespace that is joined, whose files somebody hostile may have arranged.
     *
     * @return the command's end, if it has a terminal
     */
    Optional<Arg> planJoined() {
        if (!isOf(TerminalOrigin.JOINED)) {
            return Optional.empty();
        }
        program.phase("terminal");
        program.purpose("find the devpts of the mount namespace that was joined")
                .task(LaunchTask.FIND_DEVPTS);
        var mounts = new MountCalls(program);
        var root = program.result(
                "root",
                Syscall.OPENAT,
                MountCalls.AT_FDCWD,
                text("/"),
                OpenFlags.of(OpenFlags.O_PATH | OpenFlags.O_CLOEXEC));
        var pts = mounts.resolve(OnError.fail(), root, "/dev/pts", MountCalls.NO_SYMLINKS);
        var right = program.label();
        program.call(Syscall.FSTATFS, pts, STATFS);
        program.branch(
                Step.Condition.EQUAL,
                program.load("type", Step.Width.LONG, STATFS),
                named(DEVPTS, "DEVPTS_SUPER_MAGIC"),
                right);
        program.fail(named(Errno.ENODEV.code(), "ENODEV"));
        program.bind(right);
        return Optional.of(open(pts));
    }

    private Arg open(Arg pts) {
        program.purpose("open a terminal of the container's own").task(LaunchTask.OPEN_TERMINAL);
        // Nothing may be mounted over it: of a devpts, what is not on another file system is a terminal.
        Arg[] call = {
            pts,
            text("ptmx"),
            MountCalls.how(OPEN, ResolveFlags.RESOLVE_NO_XDEV | ResolveFlags.RESOLVE_NO_SYMLINKS),
            MountCalls.HOW_SIZE
        };
        // A launch that only asks has nobody to talk to through it.
        var master = input.spec().root().asks().isPresent()
                ? program.result("master", Syscall.OPENAT2, call)
                : program.handOver(GATE, true, Syscall.OPENAT2, call);
        program.call(Syscall.IOCTL, master, request(Terminals.TIOCSPTLCK, "TIOCSPTLCK"), Arg.ints("[0]", 0));
        var terminal = program.result(
                "terminal", Syscall.IOCTL, master, request(Terminals.TIOCGPTPEER, "TIOCGPTPEER"), OpenFlags.of(OPEN));
        // The child keeps the master as long as it may: without one there is nothing to mount.
        return terminal;
    }

    /** Once it is standard input. */
    void planSettings() {
        var terminal = input.spec().process().terminal();
        if (terminal.isEmpty()) {
            return;
        }
        program.purpose("give the terminal its modes and its size");
        program.call(
                Syscall.IOCTL,
                STDIN,
                request(Terminals.TCSETS, "TCSETS"),
                Arg.bytes(TerminalModes.cooked().bytes(), "{c_iflag=ICRNL|IXON|IUTF8, c_oflag=OPOST|ONLCR, ...}"));
        program.call(Syscall.IOCTL, STDIN, request(Terminals.TIOCSWINSZ, "TIOCSWINSZ"), size(terminal.get()));
    }

    private static Arg size(Stdio.Terminal terminal) {
        var size = ByteBuffer.allocate(4 * Short.BYTES).order(ByteOrder.nativeOrder());
        size.putShort((short) terminal.rows()).putShort((short) terminal.columns());
        return Arg.bytes(size.array(), "{ws_row=" + terminal.rows() + ", ws_col=" + terminal.columns() + "}");
    }

    /** The group stays the terminals' own, of those who may write to others' terminals. */
    void planOwner(Arg uid) {
        var origin = input.terminalOrigin();
        if (origin.isPresent()) {
            // One of the host's belongs to the JVM's user, who may not be allowed to give it away.
            var onError =
                    origin.get() == TerminalOrigin.HOST ? OnError.ignore(Errno.EPERM, Errno.EINVAL) : OnError.fail();
            program.purpose("give the terminal to the user", "CAP_CHOWN");
            program.call(onError, Syscall.FCHOWN, STDIN, uid, of(-1));
        }
    }

    /** Once the session is the command's own. */
    void planControl() {
        if (input.terminalOrigin().isPresent()) {
            program.purpose("make the terminal the controlling one of the session");
            program.call(Syscall.IOCTL, STDIN, request(Terminals.TIOCSCTTY, "TIOCSCTTY"), of(0));
        }
    }

    private static Arg request(int number, String name) {
        return named(number, name);
    }
}

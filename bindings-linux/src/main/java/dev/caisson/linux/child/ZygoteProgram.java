// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static dev.caisson.linux.call.Arg.named;
import static dev.caisson.linux.call.Arg.nullPointer;
import static dev.caisson.linux.call.Arg.of;
import static dev.caisson.linux.call.Arg.text;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.flag.MapFlags;
import dev.caisson.linux.flag.MessageFlags;
import dev.caisson.linux.flag.OpenFlags;
import java.util.List;

/**
 * What the zygote does: it clones a child for each request and holds a pidfd of it from that instant on, until its socket
 * to the JVM ends; then it kills them all and removes their cgroups.
 *
 * <pre>
 *   descriptors   0          the socket to the JVM, and copies of it at 1 and 2, so that nothing arrives there
 *                 3          what came with a request: first the child's socket to its launcher,
 *                 4 ...      then what the child's program was promised, in the order of the message
 *                 256 ...    the pidfds of living children, each at its place
 *   addresses     4 GB       the table of the request
 *                 8 GB       the {@link Ledger}, shared with the JVM and with no child
 * </pre>
 */
final class ZygoteProgram {
    /** The parameter that holds its end of the socket. */
    static final Arg.Slot SOCKET = Arg.slot("socket");

    /** The parameter that holds the memory of the ledger. */
    static final Arg.Slot LEDGER = Arg.slot("ledger");

    static final String NAME = "caisson-zygote";

    /** Where the table of a request lies, in the zygote and in its child. */
    static final long REQUEST_ADDRESS = TableLayout.HOME;

    static final long LEDGER_ADDRESS = 1L << 33;

    /** The most of a table that comes with the message; larger ones come as a file in memory. */
    static final int LARGEST_INLINE = 160 * 1024;

    /** The first descriptor that arrives, which is the child's socket to its launcher. */
    static final int FIRST_ARRIVED = 3;

    /** As many as a message can carry (SCM_MAX_FD). */
    static final int MOST_ARRIVE = 253;

    static final int FIRST_PLACE = 256;

    /** The head of a request. */
    static final int OPERATION = 0;

    static final int PLACE = 4;
    static final int FILE_SIZE = 8;
    static final int FILE = 16;
    static final int HEAD_SIZE = 24;

    /** Operations. */
    static final int LAUNCH = 0;

    static final int WATCH = 1;

    private static final int LAST_SIGNAL = 64;
    static final int RLIMIT_NOFILE = 7;
    private static final int HEADER = 56;
    private static final int CONTROL = 16 + 4 * (MOST_ARRIVE + 1);
    private static final int RIGHTS_DATA = 16;
    private static final Arg CONTROL_SOCKET = of(0);
    private static final Arg O_CLOEXEC = OpenFlags.of(OpenFlags.O_CLOEXEC);
    private static final Arg READ_WRITE = named(3, "PROT_READ|PROT_WRITE");
    private static final Arg PRIVATE_FIXED = MapFlags.of(MapFlags.MAP_PRIVATE | MapFlags.MAP_FIXED);
    private static final Arg PRIVATE_ANONYMOUS_FIXED =
            MapFlags.of(MapFlags.MAP_PRIVATE | MapFlags.MAP_ANONYMOUS | MapFlags.MAP_FIXED);
    private static final Arg SHARED_FIXED = MapFlags.of(MapFlags.MAP_SHARED | MapFlags.MAP_FIXED);
    private static final Arg REQUEST = named(REQUEST_ADDRESS, "request");
    private static final Arg ALL = named(0xffff_ffffL, "~0U");

    private final SyscallProgram.Builder program = SyscallProgram.builder().phase("zygote");
    private final Arg head = Arg.buffer("head", HEAD_SIZE);
    private final Arg vectors = Arg.buffer("iov", 4 * Long.BYTES);
    private final Arg header = Arg.buffer("msghdr", HEADER);
    private final Arg control = Arg.buffer("control", CONTROL);
    private final Arg report = Arg.buffer("report", TableLayout.REPORT_SIZE);
    private final Arg last = Arg.buffer("last", Long.BYTES);
    private final Label orphaned = program.label();

    SyscallProgram build() {
        settle();
        serve();
        program.bind(orphaned);
        new OrphanedSteps(program, last).plan();
        return program.build();
    }

    private void settle() {
        program.purpose("stand apart: no terminal, nobody's to trace or read");
        program.call(Syscall.SETSID);
        program.call(Syscall.PRCTL, named(4, "PR_SET_DUMPABLE"), of(0), of(0), of(0), of(0));
        program.call(Syscall.PRCTL, named(15, "PR_SET_NAME"), text(NAME), of(0), of(0), of(0));
        program.purpose("a session keyring of its own, so that no child has the JVM's");
        program.call(
                OnError.ignore(), Syscall.KEYCTL, named(1, "KEYCTL_JOIN_SESSION_KEYRING"), nullPointer(), of(0), of(0));
        defaultSignals(program);
        raiseDescriptors();
        program.purpose("hold the ledger, and let no child have it");
        program.call(
                Syscall.MMAP,
                named(LEDGER_ADDRESS, "ledger"),
                of(Ledger.SIZE),
                READ_WRITE,
                SHARED_FIXED,
                LEDGER,
                of(0));
        program.call(Syscall.MADVISE, named(LEDGER_ADDRESS, "ledger"), of(Ledger.SIZE), named(10, "MADV_DONTFORK"));
        program.purpose("no descriptor but the socket");
        var socket = SOCKET;
        for (int number = 0; number < FIRST_ARRIVED; number++) {
            program.call(Syscall.DUP3, socket, of(number), O_CLOEXEC);
        }
        put(vectors, 0, head);
        put(vectors, 8, of(HEAD_SIZE));
        put(vectors, 16, REQUEST);
        put(vectors, 24, of(LARGEST_INLINE));
        put(header, 16, vectors);
        put(header, 24, of(2));
        put(header, 32, control);
        program.store(Step.Width.LONG, last, of(FIRST_PLACE - 1));
        program.purpose("tell that the launch is over");
        program.execute(OnError.ignore(), Syscall.EXECVE, text(""), Arg.argv(List.of()), Arg.envp(List.of()));
        program.call(Syscall.CLOSE_RANGE, of(FIRST_ARRIVED), ALL, of(0));
    }

    /** Adds the steps that give every signal its default disposition: what is ignored stays so beyond an execve. */
    static void defaultSignals(SyscallProgram.Builder program) {
        program.purpose("no signal ignored, as it would be under nohup(1)");
        var signal = Arg.buffer("signal", Long.BYTES);
        var next = program.label();
        program.store(Step.Width.LONG, signal, of(1));
        program.bind(next);
        var number = program.load("signal", Step.Width.LONG, signal);
        program.call(
                OnError.ignore(Errno.EINVAL), // SIGKILL and SIGSTOP are always as they are.
                Syscall.RT_SIGACTION,
                number,
                Arg.words("{SIG_DFL}", 0, 0, 0, 0),
                nullPointer(),
                of(Long.BYTES));
        var following = program.sum("next", number, of(1));
        program.store(Step.Width.LONG, signal, following);
        program.branch(Step.Condition.LESS, following, of(LAST_SIGNAL + 1), next);
    }

    /** One for each container: as many as are allowed. */
    private void raiseDescriptors() {
        program.purpose("have room for many pidfds");
        var limits = Arg.buffer("rlimit", 2 * Long.BYTES);
        program.call(Syscall.PRLIMIT64, of(0), named(RLIMIT_NOFILE, "RLIMIT_NOFILE"), nullPointer(), limits);
        var hard = program.load("hard limit", Step.Width.LONG, program.sum("at", limits, of(Long.BYTES)));
        program.store(Step.Width.LONG, limits, hard);
        program.call(
                OnError.ignore(),
                Syscall.PRLIMIT64,
                of(0),
                named(RLIMIT_NOFILE, "RLIMIT_NOFILE"),
                limits,
                nullPointer());
    }

    private void serve() {
        var next = program.label();
        var clear = program.label();
        var watch = program.label();
        var complete = program.label();
        var child = program.label();
        var refused = program.label();
        var unmapped = program.label();
        program.purpose("fresh memory for the next table: no child sees that of another");
        program.bind(next);
        program.call(Syscall.MMAP, REQUEST, of(LARGEST_INLINE), READ_WRITE, PRIVATE_ANONYMOUS_FIXED, of(-1), of(0));
        program.purpose("wait for a request, or for the end of the JVM");
        put(header, 40, of(CONTROL));
        var received = program.result(
                OnError.jump(orphaned),
                "received",
                Syscall.RECVMSG,
                CONTROL_SOCKET,
                header,
                MessageFlags.of(MessageFlags.MSG_CMSG_CLOEXEC));
        program.branch(Step.Condition.EQUAL, received, of(0), orphaned);
        program.purpose("leave what came incomplete, for want of descriptors in the whole system");
        var flags = program.load("flags", Step.Width.INT, at(header, 48));
        program.branch(
                Step.Condition.ANY_BIT,
                flags,
                MessageFlags.of(MessageFlags.MSG_TRUNC | MessageFlags.MSG_CTRUNC),
                clear);
        var operation = program.load("operation", Step.Width.INT, head);
        program.branch(Step.Condition.EQUAL, operation, of(WATCH), watch);
        program.purpose("a large table is a file");
        var size = program.load("size", Step.Width.LONG, at(head, FILE_SIZE));
        program.branch(Step.Condition.EQUAL, size, of(0), complete);
        var file = program.load("file", Step.Width.INT, at(head, FILE));
        var mapped = program.result(
                OnError.jump(unmapped), "mapped", Syscall.MMAP, REQUEST, size, READ_WRITE, PRIVATE_FIXED, file, of(0));
        program.call(Syscall.CLOSE, file);
        program.bind(complete);
        program.purpose("clone the child, which is the JVM's own");
        var pid = program.result(
                OnError.jump(refused),
                "pid",
                Syscall.CLONE3,
                named(REQUEST_ADDRESS + TableLayout.CLONE_ARGS, "clone_args"),
                of(TableLayout.CLONE_ARGS_SIZE));
        program.branch(Step.Condition.EQUAL, pid, of(0), child);
        program.purpose("hold its pidfd at its place; what was there is of a process that has ended");
        var pidfd = program.load("pidfd", Step.Width.INT, named(REQUEST_ADDRESS + TableLayout.PIDFD, "pidfd"));
        keep(pidfd, clear);
        program.bind(clear);
        program.purpose("hold nothing of it else");
        program.call(Syscall.CLOSE_RANGE, of(FIRST_ARRIVED), of(FIRST_PLACE - 1), of(0));
        program.branch(Step.Condition.EQUAL, of(0), program.load("size", Step.Width.LONG, at(head, FILE_SIZE)), next);
        program.call(Syscall.MUNMAP, REQUEST, program.load("size", Step.Width.LONG, at(head, FILE_SIZE)));
        program.jump(next);
        program.bind(watch);
        program.purpose("watch over a process that somebody else cloned");
        keep(program.load("pidfd", Step.Width.INT, at(control, RIGHTS_DATA)), clear);
        program.jump(clear);
        program.bind(unmapped);
        refuse(mapped);
        program.jump(clear);
        program.bind(refused);
        cloneByOlderCall(pid, child, clear);
        refuse(pid);
        program.jump(clear);
        program.bind(child);
        become();
    }

    /** As the stub does for the JVM: another runtime's filter around it may not know clone3. */
    private void cloneByOlderCall(Arg result, Label child, Label clear) {
        var impossible = program.label();
        program.purpose("clone it by the older call, where clone3 is unknown and that suffices");
        program.branch(Step.Condition.NOT_EQUAL, result, of(-Errno.ENOSYS.code()), impossible);
        var flags = program.load(
                "flags", Step.Width.LONG, named(REQUEST_ADDRESS + TableLayout.OLDER_FLAGS, "flags of clone"));
        program.branch(Step.Condition.EQUAL, flags, of(0), impossible);
        var address = named(REQUEST_ADDRESS + TableLayout.PIDFD, "pidfd");
        var pid = program.result(OnError.jump(impossible), "pid", Syscall.CLONE, flags, of(0), address, of(0), of(0));
        program.branch(Step.Condition.EQUAL, pid, of(0), child);
        program.store(
                Step.Width.INT,
                program.load(
                        "place of the pid",
                        Step.Width.LONG,
                        named(REQUEST_ADDRESS + TableLayout.CLONE_ARGS_PARENT_TID, "parent_tid")),
                pid);
        keep(program.load("pidfd", Step.Width.INT, address), clear);
        program.jump(clear);
        program.bind(impossible);
    }

    private void keep(Arg pidfd, Label after) {
        var target = program.sum("descriptor", program.load("place", Step.Width.INT, at(head, PLACE)), of(FIRST_PLACE));
        program.call(OnError.ignore(), Syscall.DUP3, pidfd, target, O_CLOEXEC);
        program.branch(Step.Condition.LESS, target, program.load("last", Step.Width.LONG, last), after);
        program.store(Step.Width.LONG, last, target);
    }

    private void refuse(Arg result) {
        program.purpose("tell why there is no child");
        program.store(Step.Width.INT, report, of(TableLayout.REFUSED));
        program.store(Step.Width.INT, at(report, TableLayout.FAILED_ERRNO), result);
        program.call(
                OnError.ignore(),
                Syscall.SENDTO,
                of(FIRST_ARRIVED),
                report,
                of(TableLayout.REPORT_SIZE),
                MessageFlags.of(MessageFlags.MSG_NOSIGNAL | MessageFlags.MSG_DONTWAIT),
                nullPointer(),
                of(0));
    }

    private void become() {
        program.purpose("be a child that holds nothing of the zygote");
        program.call(Syscall.CLOSE_RANGE, of(FIRST_PLACE), ALL, of(0));
        for (int number = 0; number < FIRST_ARRIVED; number++) {
            program.call(Syscall.DUP3, of(FIRST_ARRIVED), of(number), O_CLOEXEC);
        }
        program.call(Syscall.PRCTL, named(15, "PR_SET_NAME"), text("caisson-launch"), of(0), of(0), of(0));
        program.purpose("do what was asked for");
        program.enter(REQUEST);
    }

    private Arg at(Arg structure, int offset) {
        return program.sum("at", structure, of(offset));
    }

    private void put(Arg structure, int offset, Arg value) {
        program.store(Step.Width.LONG, at(structure, offset), value);
    }
}

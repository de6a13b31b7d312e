// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static dev.caisson.linux.call.Arg.named;
import static dev.caisson.linux.call.Arg.of;
import static dev.caisson.linux.call.Arg.text;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.call.Flags;
import dev.caisson.linux.child.OnError;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.flag.SocketTypes;
import dev.caisson.spec.Join;
import dev.caisson.spec.Namespace;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;

/**
 * New and joined namespaces and what is set in them. As many as possible are made by clone3 itself; those that must belong
 * to a user namespace that is joined come later, by unshare, and a PID namespace then needs one more fork, since joining
 * or unsharing one concerns children only. That is settled here and is nobody else's business.
 */
final class NamespaceSteps {
    static final Flags CLONE_FLAGS = flags();

    private static final int AF_INET = 2;
    private static final int SOCK_DGRAM_CLOEXEC = SocketTypes.SOCK_DGRAM | SocketTypes.SOCK_CLOEXEC;
    private static final int SIOCSIFFLAGS = 0x8914;
    private static final int IFREQ_SIZE = 40;
    private static final int IFREQ_FLAGS = 16;
    private static final short IFF_UP = 0x1;
    private static final short IFF_RUNNING = 0x40;
    private static final short IFF_UP_RUNNING = IFF_UP | IFF_RUNNING;

    private final PlanInput input;
    private final SyscallProgram.Builder program;

    NamespaceSteps(PlanInput input, SyscallProgram.Builder program) {
        this.input = input;
        this.program = program;
    }

    private static Flags flags() {
        var flags = Flags.named("0");
        for (var namespace : Namespace.values()) {
            flags = flags.with("CLONE_NEW" + suffix(namespace), namespace.flag());
        }
        return flags;
    }

    private static String suffix(Namespace namespace) {
        return switch (namespace) {
            case MOUNT -> "NS";
            case NETWORK -> "NET";
            case PID, IPC, UTS, USER, CGROUP, TIME -> namespace.name();
        };
    }

    /** {@return whether new namespaces must wait until a user namespace is joined} */
    private boolean isDeferred() {
        return input.joins(Namespace.USER);
    }

    /** {@return the flags of the namespaces that clone3 makes} */
    long cloneFlags() {
        if (isDeferred()) {
            return 0;
        }
        long flags = 0;
        for (var namespace : input.fresh()) {
            if (namespace != Namespace.TIME && !(namespace == Namespace.CGROUP && entersCgroup())) {
                flags |= namespace.flag();
            }
        }
        return flags;
    }

    private boolean entersCgroup() {
        return input.spec().limits().hasCgroup();
    }

    /** A cgroup namespace begins at the cgroup its maker is in, which at clone3 is still that of the JVM. */
    void planCgroup() {
        if (!isDeferred() && input.isFresh(Namespace.CGROUP) && entersCgroup()) {
            program.purpose("make the container's own cgroup the root of all it sees", "CAP_SYS_ADMIN");
            program.call(Syscall.UNSHARE, CLONE_FLAGS.of(Namespace.CGROUP.flag()));
        }
    }

    private static long flags(List<Namespace> namespaces) {
        return namespaces.stream().mapToLong(Namespace::flag).sum();
    }

    /** {@return whether the command runs in a second child, the first one only having led the way} */
    boolean forks() {
        return input.joins(Namespace.PID) || isDeferred() && input.isFresh(Namespace.PID);
    }

    void planJoins() {
        if (input.spec().namespaces().joins().isEmpty()) {
            return;
        }
        program.phase("join namespaces");
        joinHeld();
        // The user namespace first: the capabilities for the others come from it.
        join(Namespace.USER);
        for (var namespace : Namespace.values()) {
            if (namespace != Namespace.USER && namespace != Namespace.MOUNT) {
                join(namespace);
            }
        }
        if (isDeferred()) {
            var deferred =
                    input.fresh().stream().filter(n -> n != Namespace.TIME).toList();
            if (!deferred.isEmpty()) {
                program.purpose("make the other namespaces, owned by the joined user namespace", "CAP_SYS_ADMIN");
                program.call(Syscall.UNSHARE, CLONE_FLAGS.of(flags(deferred)));
            }
        }
        // Last, since paths change their meaning here.
        join(Namespace.MOUNT);
        if (forks() && !forksLate()) {
            planFork();
        }
    }

    /** All namespaces of one process at once: whether it may be joined is then asked once, of the caller as it is. */
    private void joinHeld() {
        var together = new LinkedHashMap<Join.Held, List<Namespace>>();
        for (var join : input.spec().namespaces().joins()) {
            if (join instanceof Join.OfHeld(var namespace, var process) && namespace != Namespace.TIME) {
                together.computeIfAbsent(process, _ -> new ArrayList<>()).add(namespace);
            }
        }
        together.values().forEach(namespaces -> {
            boolean lacksUser = !input.host().isPrivileged() && !input.joins(Namespace.USER);
            program.purpose(
                    "join namespaces of a container that is held",
                    lacksUser
                            ? "CAP_SYS_ADMIN over them, which an ordinary user has by joining the container's"
                                    + " Namespace.USER, too; Linux 5.8"
                            : "CAP_SYS_ADMIN over them, Linux 5.8");
            program.call(Syscall.SETNS, Slots.join(namespaces.getFirst()), CLONE_FLAGS.of(flags(namespaces)));
        });
    }

    /**
     * {@return whether the second child is made when the first has given up its privileges} Others in the PID namespace see
     * it from its first moment, and may trace it as they may trace the command. Only who mounts /proc must be in there before.
     */
    boolean forksLate() {
        return input.joins(Namespace.PID) && !input.isFresh(Namespace.MOUNT);
    }

    void planFork() {
        program.purpose("fork, since a PID namespace is entered by children only");
        program.fork();
        if (!input.hasReaper()) { // A reaper stays in that of the first child; the command leads another one.
            program.purpose("lead a session of its own");
            program.call(Syscall.SETSID);
        }
    }

    private void join(Namespace namespace) {
        var join = input.spec().namespaces().joined(namespace);
        if (join.isEmpty()) {
            return;
        }
        String whose;
        switch (join.get()) {
            case Join.OfPath p -> whose = p.path().toString();
            case Join.OfProcess p -> whose = "process " + p.pid();
            case Join.OfPidfd p -> whose = "pidfd " + p.pidfd();
            case Join.OfHeld _ -> {
                if (namespace != Namespace.TIME) {
                    return;
                }
                whose = "a container that is held";
            }
        }
        program.purpose("join the " + namespace.file() + " namespace of " + whose, "CAP_SYS_ADMIN over it");
        program.call(Syscall.SETNS, Slots.join(namespace), CLONE_FLAGS.of(namespace.flag()));
    }

    /** After the id maps: setting any of these takes capabilities in the new user namespace. */
    void planSettings() {
        var spec = input.spec();
        if (input.isFresh(Namespace.TIME)) {
            time();
        }
        if (spec.namespaces().hostnameInside().isPresent()
                || spec.namespaces().domainName().isPresent()) {
            program.phase("host name");
            setName(Syscall.SETHOSTNAME, "the host name", spec.namespaces().hostnameInside());
            setName(Syscall.SETDOMAINNAME, "the domain name", spec.namespaces().domainName());
        }
    }

    /**
     * After the mounts, which take a while: bringing an interface up waits for the kernel's one lock of all networks, and that
     * is held at first by the end of the namespace of whatever ran before.
     */
    void planNetwork() {
        if (input.isFresh(Namespace.NETWORK)) {
            loopback();
        }
    }

    private void setName(Syscall syscall, String what, Optional<String> name) {
        if (name.isPresent()) {
            program.purpose("set " + what, "CAP_SYS_ADMIN");
            int bytes = FileNames.encode(name.get()).length;
            program.call(syscall, text(name.get()), of(bytes));
        }
    }

    private void time() {
        program.phase("clocks");
        program.purpose("make a time namespace, which execve enters", "CAP_SYS_ADMIN, Linux 6.3");
        program.call(Syscall.UNSHARE, CLONE_FLAGS.of(Namespace.TIME.flag()));
        boolean foreign = input.inUserNamespace() || !input.host().isPrivileged();
        if (foreign) {
            ExecSteps.dumpable(program, "own its files in /proc", 1);
        }
        offset("monotonic", input.spec().namespaces().monotonicOffset());
        offset("boottime", input.spec().namespaces().bootTimeOffset());
        if (foreign) {
            ExecSteps.dumpable(program, "be nobody's to trace or read", 0);
        }
    }

    private void offset(String clock, Optional<Duration> offset) {
        if (offset.isPresent()) {
            Duration by = offset.get();
            program.purpose("offset the " + clock + " clock", "CAP_SYS_TIME");
            String line = clock + " " + by.toSeconds() + " " + by.toNanosPart();
            writeFile(program, "/proc/self/timens_offsets", line);
        }
    }

    private void loopback() {
        program.phase("network");
        program.purpose("bring the loopback interface up", "CAP_NET_ADMIN");
        var socket = program.result(
                "socket",
                Syscall.SOCKET,
                named(AF_INET, "AF_INET"),
                named(SOCK_DGRAM_CLOEXEC, "SOCK_DGRAM|SOCK_CLOEXEC"),
                of(0));
        var ifreq = ByteBuffer.allocate(IFREQ_SIZE).order(ByteOrder.nativeOrder());
        ifreq.put(0, "lo".getBytes(StandardCharsets.US_ASCII)).putShort(IFREQ_FLAGS, IFF_UP_RUNNING);
        program.call(
                Syscall.IOCTL,
                socket,
                named(SIOCSIFFLAGS, "SIOCSIFFLAGS"),
                Arg.bytes(ifreq.array(), "{ifr_name=\"lo\", ifr_flags=IFF_UP|IFF_RUNNING}"));
        program.call(Syscall.CLOSE, socket);
    }

    /** Adds the steps that write a short text into a file of /proc. */
    static void writeFile(SyscallProgram.Builder program, String path, String content) {
        writeFile(program, OnError.fail(), path, content);
    }

    static void writeFile(SyscallProgram.Builder program, OnError onWrite, String path, String content) {
        var file = program.result(
                path.substring(path.lastIndexOf('/') + 1),
                Syscall.OPENAT,
                MountCalls.AT_FDCWD,
                text(path),
                OpenFlags.of(OpenFlags.O_WRONLY | OpenFlags.O_CLOEXEC));
        int bytes = FileNames.encode(content).length;
        program.call(onWrite, Syscall.WRITE, file, text(content), of(bytes));
        program.call(OnError.ignore(Errno.EINTR), Syscall.CLOSE, file);
    }
}

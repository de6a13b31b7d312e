// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import static dev.caisson.linux.Errno.EACCES;
import static dev.caisson.linux.Errno.EINVAL;
import static dev.caisson.linux.Syscall.CONNECT;
import static dev.caisson.linux.Syscall.IO_URING_ENTER;
import static dev.caisson.linux.Syscall.IO_URING_REGISTER;
import static dev.caisson.linux.Syscall.IO_URING_SETUP;
import static dev.caisson.linux.Syscall.SENDMMSG;
import static dev.caisson.linux.Syscall.SENDMSG;
import static dev.caisson.linux.Syscall.SENDTO;
import static dev.caisson.linux.Syscall.SOCKET;
import static dev.caisson.seccomp.Arg.arg;

import dev.caisson.Container;
import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.Notification;
import dev.caisson.seccomp.Reply;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.spec.Namespace;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * Lets a command connect to some addresses only. The supervisor copies the address once, checks the copy, and connects a
 * duplicate of the command's own socket to that very copy; to let the call proceed would let another thread of the command
 * put another address there in between. All other ways out are closed by their registers: sockets other than TCP, and the
 * sends that connect by themselves.
 */
@Command(
        name = "egress",
        description = "Run a command that can connect to the named addresses only (TCP).",
        mixinStandardHelpOptions = true)
final class EgressExample implements Callable<Integer> {
    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;
    private static final int AF_UNIX = 1;
    private static final int SOCK_TYPE_MASK = 0xf;
    private static final int SOCK_STREAM = 1;
    private static final int IPPROTO_TCP = 6;
    private static final long MSG_FASTOPEN = 0x20000000;
    private static final int SOCKADDR_MAX = 128;

    @Option(names = "--allow", paramLabel = "ADDRESS:PORT", description = "Where connections may go; repeatable.")
    private List<String> allowed = new ArrayList<>();

    @Option(names = "--new-net", description = "In a network of its own, of loopback only.")
    private boolean newNetwork;

    @Parameters(arity = "1..*", paramLabel = "CMD")
    private List<String> command = new ArrayList<>();

    static Seccomp policy(Set<InetSocketAddress> allowed) {
        return Seccomp.standard().architectures(Arch.host()).first(rules -> {
            var strict =
                    rules.supervise(CONNECT, call -> connect(call, allowed)).allow(SOCKET, arg(0).is(AF_UNIX));
            for (int family : new int[] {AF_INET, AF_INET6}) {
                for (int protocol : new int[] {0, IPPROTO_TCP}) {
                    strict = strict.allow(
                            SOCKET, arg(0).is(family), arg(1).masked(SOCK_TYPE_MASK, SOCK_STREAM), arg(2).is(protocol));
                }
            }
            strict = strict.fail(EACCES, SOCKET, IO_URING_SETUP, IO_URING_ENTER, IO_URING_REGISTER);
            strict = refuse(refuse(strict, SENDTO, 3), SENDMSG, 2);
            return refuse(strict, SENDMMSG, 3);
        });
    }

    private static Seccomp refuse(Seccomp rules, Syscall send, int flags) {
        return rules.on(
                dev.caisson.seccomp.Action.fail(EACCES), send, arg(flags).hasAll(MSG_FASTOPEN));
    }

    /** connect(socket, address, length). */
    private static Reply connect(Notification call, Set<InetSocketAddress> allowed) throws IOException {
        int length = (int) call.arg(2);
        if (length < Short.BYTES || length > SOCKADDR_MAX) {
            return Reply.fail(EINVAL);
        }
        byte[] address = call.read(call.arg(1), length);
        if (!isAllowed(address, allowed)) {
            return Reply.fail(EACCES);
        }
        try (var socket = call.descriptor((int) call.arg(0))) {
            socket.connect(address); // What it throws is the errno of the call.
            return Reply.returning(0);
        }
    }

    /** struct sockaddr_in: family, port, address; struct sockaddr_in6: family, port, flow, address. */
    private static boolean isAllowed(byte[] sockaddr, Set<InetSocketAddress> allowed) throws IOException {
        int family = ByteBuffer.wrap(sockaddr).order(ByteOrder.nativeOrder()).getShort();
        boolean isV4 = family == AF_INET && sockaddr.length >= 16;
        boolean isV6 = family == AF_INET6 && sockaddr.length >= 28;
        if (!isV4 && !isV6) {
            return false; // A Unix socket's name would be looked up where the JVM is.
        }
        var address = InetAddress.getByAddress(
                isV4 ? Arrays.copyOfRange(sockaddr, 4, 8) : Arrays.copyOfRange(sockaddr, 8, 24));
        int port = Short.toUnsignedInt(ByteBuffer.wrap(sockaddr).getShort(2));
        return allowed.contains(new InetSocketAddress(address, port));
    }

    private static InetSocketAddress parse(String text) {
        int colon = text.lastIndexOf(':');
        try {
            var address = InetAddress.ofLiteral(text.substring(0, Math.max(0, colon)));
            return new InetSocketAddress(address, Integer.parseInt(text.substring(colon + 1)));
        } catch (IllegalArgumentException wrong) {
            throw new IllegalArgumentException(
                    "--allow: \"" + text + "\" is not ADDRESS:PORT with a literal address", wrong);
        }
    }

    @Override
    public Integer call() throws Exception {
        var addresses = new HashSet<InetSocketAddress>();
        allowed.forEach(text -> addresses.add(parse(text)));
        var container = Container.builder().lower(Path.of("/")).seccomp(policy(addresses));
        return (newNetwork ? container : container.host(Namespace.NETWORK))
                .run(command)
                .shellCode();
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import static dev.caisson.linux.Errno.EINVAL;
import static dev.caisson.linux.Errno.ENOSYS;
import static dev.caisson.linux.Errno.EPERM;
import static dev.caisson.linux.Syscall.FSCONFIG;
import static dev.caisson.linux.Syscall.FSMOUNT;
import static dev.caisson.linux.Syscall.FSOPEN;
import static dev.caisson.linux.Syscall.MKNOD;
import static dev.caisson.linux.Syscall.MKNODAT;
import static dev.caisson.linux.Syscall.MOUNT;
import static dev.caisson.linux.Syscall.MOVE_MOUNT;

import dev.caisson.Container;
import dev.caisson.linux.Arch;
import dev.caisson.seccomp.Notification;
import dev.caisson.seccomp.Reply;
import dev.caisson.seccomp.Seccomp;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/**
 * Emulates mknod and mount for a container in a user namespace, where the kernel grants neither. The supervisor never lets a
 * call proceed: it copies the arguments, checks the copies, and acts in the container's namespaces itself.
 *
 * <ul>
 *   <li>mknod of a harmless device: the container's own, from its /dev, is mounted on a new file of that name
 *   <li>mount of a tmpfs, without set-user-id and devices whatever was asked for
 * </ul>
 */
@Command(
        name = "emulate",
        description = "Run a command as root of a user namespace in which mknod and mount -t tmpfs work.",
        mixinStandardHelpOptions = true)
final class EmulateExample implements Callable<Integer> {
    private static final Map<Long, String> HARMLESS = Map.of(
            device(1, 3), "/dev/null",
            device(1, 5), "/dev/zero",
            device(1, 7), "/dev/full",
            device(1, 8), "/dev/random",
            device(1, 9), "/dev/urandom");

    private static final int PATH_MAX = 4095;
    private static final int AT_FDCWD = -100;
    private static final int S_IFMT = 0xf000;
    private static final int S_IFCHR = 0x2000;
    private static final long MS_NOSUID_NODEV = 2 | 4;
    private static final long MS_BIND = 0x1000;
    private static final long MS_READONLY_NOEXEC_NOATIME = 1 | 8 | 1024 | 0x200000; // relatime is mount(8)'s own wish.
    private static final long MS_SILENT = 0x8000;
    private static final int CAP_MKNOD = 27;

    @Parameters(arity = "1..*", paramLabel = "CMD")
    private List<String> command = new ArrayList<>();

    static Seccomp policy() {
        return Seccomp.standard()
                .architectures(Arch.host())
                .first(rules -> rules.supervise(MKNOD, call -> node(call, AT_FDCWD, 0))
                        .supervise(MKNODAT, call -> node(call, (int) call.arg(0), 1))
                        .supervise(MOUNT, EmulateExample::mount)
                        // mount(8) then falls back to mount(2).
                        .fail(ENOSYS, FSOPEN, FSCONFIG, FSMOUNT, MOVE_MOUNT));
    }

    /** mknod(path, mode, dev) or mknodat(directory, path, mode, dev). */
    private static Reply node(Notification call, int directory, int first) throws IOException {
        String path = call.readString(call.arg(first), PATH_MAX);
        int mode = (int) call.arg(first + 1);
        String device = HARMLESS.get(call.arg(first + 2));
        if ((mode & S_IFMT) != S_IFCHR || device == null || directory != AT_FDCWD || !mayMakeNodes(call)) {
            return Reply.fail(EPERM);
        }
        call.makeFile(path, mode & 0777); // Refuses what exists.
        call.mount(device, path, "", MS_BIND, "");
        return Reply.returning(0);
    }

    /** mount(source, target, type, flags, data). */
    private static Reply mount(Notification call) throws IOException {
        long flags = call.arg(3) & ~MS_SILENT;
        if ((flags & ~(MS_NOSUID_NODEV | MS_READONLY_NOEXEC_NOATIME)) != 0 || call.arg(2) == 0) {
            return Reply.fail(EPERM);
        }
        String target = call.readString(call.arg(1), PATH_MAX);
        String type = call.readString(call.arg(2), 32);
        String options = call.arg(4) == 0 ? "" : call.readString(call.arg(4), 256);
        if (!type.equals("tmpfs") || !mayMakeNodes(call)) {
            return Reply.fail(EPERM);
        }
        if (!options.matches("|(size=\\d{1,9}[km]?|mode=[0-7]{1,4})(,(size=\\d{1,9}[km]?|mode=[0-7]{1,4}))*")) {
            return Reply.fail(EINVAL);
        }
        call.mount("tmpfs", target, "tmpfs", flags | MS_NOSUID_NODEV, options);
        return Reply.returning(0);
    }

    /** The supervisor has more rights than its caller: what the caller itself may do must be asked for. */
    private static boolean mayMakeNodes(Notification call) throws IOException {
        boolean may = Files.readAllLines(Path.of("/proc/" + call.pid() + "/status")).stream()
                .filter(line -> line.startsWith("CapEff:"))
                .anyMatch(line -> (Long.parseUnsignedLong(line.substring(7).strip(), 16) >>> CAP_MKNOD & 1) == 1);
        return may && call.isPending(); // Only then was it the caller's.
    }

    private static long device(int major, int minor) {
        return (long) major << 8 | minor;
    }

    @Override
    public Integer call() throws Exception {
        return Container.builder()
                .newUser()
                .lower(Path.of("/"))
                .seccomp(policy())
                .run(command)
                .shellCode();
    }
}

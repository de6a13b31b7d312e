// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import static dev.caisson.linux.Errno.EACCES;
import static dev.caisson.linux.Errno.EROFS;
import static dev.caisson.linux.Syscall.CREAT;
import static dev.caisson.linux.Syscall.IO_URING_ENTER;
import static dev.caisson.linux.Syscall.IO_URING_REGISTER;
import static dev.caisson.linux.Syscall.IO_URING_SETUP;
import static dev.caisson.linux.Syscall.LINK;
import static dev.caisson.linux.Syscall.LINKAT;
import static dev.caisson.linux.Syscall.OPEN;
import static dev.caisson.linux.Syscall.OPENAT;
import static dev.caisson.linux.Syscall.OPENAT2;
import static dev.caisson.linux.Syscall.OPEN_BY_HANDLE_AT;
import static dev.caisson.linux.Syscall.RENAME;
import static dev.caisson.linux.Syscall.RENAMEAT;
import static dev.caisson.linux.Syscall.RENAMEAT2;
import static dev.caisson.linux.Syscall.TRUNCATE;

import dev.caisson.Container;
import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.seccomp.Notification;
import dev.caisson.seccomp.Reply;
import dev.caisson.seccomp.Seccomp;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * Lets a command open files below some directories only, to read. A path is a pointer, and what it points to can change
 * between a look and the kernel's use, as can each link on the way. So the supervisor copies the path once, opens it inside
 * the container's root, decides by where the opened file really is, and gives the command that very file. A file that was
 * moved or linked below an allowed directory would be there, too: so no file gets another name, by whatever call.
 *
 * <p>What it does not promise: a file that has a second name below an allowed directory when the command starts, by a hard link
 * or a bind mount, may be read. Programs are executed and loaded from anywhere, attributes and names of files are seen, empty
 * files, directories and symbolic links are made and removed, all of them in the container's own layer. What is open
 * already, such as standard input, stays so; and processes outside of the container may move files as they like.
 */
@Command(
        name = "open-policy",
        description = "Run a command that can open files below the named directories only, to read.",
        mixinStandardHelpOptions = true)
final class OpenPolicyExample implements Callable<Integer> {
    private static final int PATH_MAX = 4095;
    private static final int AT_FDCWD = -100;
    private static final int O_ACCMODE = 3;
    private static final int O_CREAT_TRUNC_TMPFILE = 0x40 | 0x200 | 0x400000;
    private static final int O_NONBLOCK = 0x800;
    private static final int O_CLOEXEC = 0x80000;
    private static final int O_PATH = 0x200000;

    /** Where a program's loader looks, whoever it is. */
    private static final List<String> ALWAYS = List.of("/etc/ld.so.cache", "/dev/null");

    @Option(names = "--allow", paramLabel = "DIRECTORY", description = "Below it files may be read; repeatable.")
    private List<Path> allowed = new ArrayList<>();

    @Parameters(arity = "1..*", paramLabel = "CMD")
    private List<String> command = new ArrayList<>();

    static Seccomp policy(List<Path> allowed) {
        return Seccomp.standard()
                .architectures(Arch.host())
                .first(rules -> rules.supervise(
                                OPEN, call -> open(call, AT_FDCWD, call.arg(0), (int) call.arg(1), allowed))
                        .supervise(
                                OPENAT, call -> open(call, (int) call.arg(0), call.arg(1), (int) call.arg(2), allowed))
                        .fail(EROFS, CREAT, TRUNCATE)
                        .fail(EROFS, RENAME, RENAMEAT, RENAMEAT2, LINK, LINKAT)
                        // Its flags are behind a pointer too; programs fall back to openat.
                        .fail(Errno.ENOSYS, OPENAT2)
                        .fail(EACCES, OPEN_BY_HANDLE_AT, IO_URING_SETUP, IO_URING_ENTER, IO_URING_REGISTER));
    }

    private static Reply open(Notification call, int directory, long pointer, int flags, List<Path> allowed)
            throws IOException {
        String path = call.readString(pointer, PATH_MAX);
        // Opened as a name only, so that nothing happens to what may turn out to be forbidden.
        try (var named = call.openAt(directory, path, O_PATH, 0)) {
            Path file = Files.readSymbolicLink(named.path());
            boolean isNull = file.equals(Path.of("/dev/null"));
            if (!isNull && ((flags & O_ACCMODE) != 0 || (flags & O_CREAT_TRUNC_TMPFILE) != 0)) {
                return Reply.fail(EROFS);
            }
            if (ALWAYS.stream().noneMatch(p -> file.equals(Path.of(p)))
                    && allowed.stream().noneMatch(file::startsWith)) {
                return Reply.fail(EACCES);
            }
            if (!isNull && !isReadableByAll(named.path())) {
                return Reply.fail(EACCES);
            }
            var opened = Reply.descriptor(call.openOnHost(named.path(), flags & ~O_CLOEXEC | O_NONBLOCK));
            return (flags & O_CLOEXEC) == 0 ? opened : opened.closingOnExec();
        }
    }

    /** The JVM may read more than its caller; and what is neither a file nor a directory may do anything when it is opened. */
    private static boolean isReadableByAll(Path file) throws IOException {
        return (Files.isRegularFile(file) || Files.isDirectory(file))
                && Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ);
    }

    @Override
    public Integer call() throws Exception {
        return Container.builder()
                .lower(Path.of("/"))
                .seccomp(policy(allowed))
                .run(command)
                .shellCode();
    }
}

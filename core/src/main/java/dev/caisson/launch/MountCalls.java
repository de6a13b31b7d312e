// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static dev.caisson.linux.call.Arg.named;
import static dev.caisson.linux.call.Arg.of;
import static dev.caisson.linux.call.Arg.text;
import static dev.caisson.linux.flag.OpenFlags.O_CLOEXEC;
import static dev.caisson.linux.flag.OpenFlags.O_DIRECTORY;
import static dev.caisson.linux.flag.OpenFlags.O_PATH;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.Label;
import dev.caisson.linux.child.OnError;
import dev.caisson.linux.child.Step;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.linux.flag.AtFlags;
import dev.caisson.linux.flag.FileTypes;
import dev.caisson.linux.flag.MountAttributes;
import dev.caisson.linux.flag.MountFlags;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.flag.ResolveFlags;
import dev.caisson.linux.mount.MountApi;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The calls of {@link MountApi}, and those that find or make places inside a root, as steps of a program. */
final class MountCalls {
    static final long RDONLY = MountAttributes.MOUNT_ATTR_RDONLY;
    static final long NOSUID = MountAttributes.MOUNT_ATTR_NOSUID;
    static final long NODEV = MountAttributes.MOUNT_ATTR_NODEV;
    static final long NOEXEC = MountAttributes.MOUNT_ATTR_NOEXEC;

    static final long PRIVATE = MountFlags.MS_PRIVATE;
    static final long SLAVE = MountFlags.MS_SLAVE;
    static final long SHARED = MountFlags.MS_SHARED;

    /** Symbolic links of the container's files are followed, but never out of its root. */
    static final long IN_ROOT = ResolveFlags.RESOLVE_IN_ROOT | ResolveFlags.RESOLVE_NO_MAGICLINKS;

    /** For places only the image's own trickery would make a symbolic link, such as /proc. */
    static final long NO_SYMLINKS = IN_ROOT | ResolveFlags.RESOLVE_NO_SYMLINKS;

    static final Arg AT_FDCWD = AtFlags.CWD;

    static final Arg HOW_SIZE = of(24);

    private final SyscallProgram.Builder program;

    MountCalls(SyscallProgram.Builder program) {
        this.program = program;
    }

    /** Opens a file system's context, to be configured and then {@linkplain #mount mounted}. */
    Arg open(String fileSystem) {
        return program.result(fileSystem, MountApi.open(fileSystem));
    }

    void set(Arg context, String key, String value) {
        program.call(MountApi.set(context, key, value));
    }

    /**
     * Makes the file system.
     *
     * @return the detached mount of it
     */
    Arg mount(Arg context, String name, long attributes) {
        program.call(MountApi.create(context));
        return program.result(name, MountApi.mount(context, attributes));
    }

    /** {@return a descriptor of what a host path leads to, on which nothing can be done but to look} */
    Arg open(String path, boolean directory) {
        return program.result(
                "source",
                Syscall.OPENAT,
                AT_FDCWD,
                text(path),
                OpenFlags.of(O_PATH | O_CLOEXEC | (directory ? O_DIRECTORY : 0)));
    }

    /** {@return a detached copy of what is mounted at a host path} */
    Arg cloneOfHostPath(String name, String path, boolean recursive) {
        return cloneOf(name, AT_FDCWD, path, recursive);
    }

    /** {@return the same; where there is nothing any more, it goes on at a label} */
    Arg cloneOfHostPath(String name, String path, boolean recursive, Label gone) {
        return program.result(OnError.jump(gone, Errno.ENOENT), name, MountApi.cloneOf(AT_FDCWD, path, recursive));
    }

    /** {@return a detached copy of the place behind a descriptor, or of a path below it} */
    Arg cloneOf(String name, Arg directory, String path, boolean recursive) {
        return program.result(name, MountApi.cloneOf(directory, path, recursive));
    }

    void setAttributes(Arg mount, long set, long propagation, boolean recursive) {
        program.call(MountApi.setAttributes(mount, set, propagation, recursive));
    }

    /** Gives a detached mount its place. */
    void attach(Arg mount, Arg target) {
        attach(OnError.fail(), mount, target);
    }

    void attach(OnError onError, Arg mount, Arg target) {
        program.call(onError, MountApi.attach(mount, target));
    }

    void attach(Arg mount, Arg directory, String name) {
        program.call(MountApi.attach(mount, directory, name));
    }

    /** Puts a mount over the root that this process still has, where no path of it leads: a place to be from. */
    void park(Arg mount) {
        program.call(MountApi.park(mount));
    }

    /** {@return a place inside the root} */
    Arg resolve(OnError onError, Arg root, String path, long how) {
        return resolve(onError, root, path, O_PATH | O_CLOEXEC, how);
    }

    /** {@return a directory inside the root} */
    Arg resolveDirectory(OnError onError, Arg root, String path) {
        return resolve(onError, root, path, O_PATH | O_DIRECTORY | O_CLOEXEC, IN_ROOT);
    }

    /** The kernel gives up on a link's ".." when anything is renamed or mounted anywhere meanwhile: then again. */
    private Arg resolve(OnError onError, Arg root, String path, long flags, long how) {
        if (how != IN_ROOT) {
            return resolveOnce(onError, root, path, flags, how);
        }
        var again = program.label();
        program.bind(again);
        if (!(onError instanceof OnError.Jump(var target, var errnos))) {
            return resolveOnce(OnError.jump(again, Errno.EAGAIN), root, path, flags, how);
        }
        var refused = program.label();
        var found = program.label();
        var all = Stream.concat(errnos.stream(), Stream.of(Errno.EAGAIN)).toArray(Errno[]::new);
        var place = resolveOnce(OnError.jump(refused, all), root, path, flags, how);
        program.jump(found);
        program.bind(refused);
        program.branch(Step.Condition.EQUAL, place, of(-Errno.EAGAIN.code()), again);
        program.jump(target);
        program.bind(found);
        return place;
    }

    private Arg resolveOnce(OnError onError, Arg root, String path, long flags, long how) {
        return program.result(
                onError, name(path), Syscall.OPENAT2, root, text(relative(path)), how(flags, how), HOW_SIZE);
    }

    /**
     * {@return a place inside the root, made with all directories on the way where it is missing}
     *
     * @param gate where the JVM is asked if a link on the way leads to nothing; else that is a failure
     */
    Arg resolveOrMake(Arg root, String path, boolean directory, Optional<String> gate) {
        var buffer = Arg.buffer("place", Long.BYTES);
        var missing = program.label();
        var found = program.label();
        var lost = program.label();
        var onNothing = gate.isPresent() ? OnError.jump(lost, Errno.ENOENT) : OnError.fail();
        var first = resolve(
                OnError.jump(missing, Errno.ENOENT),
                root,
                path,
                O_PATH | O_CLOEXEC | (directory ? O_DIRECTORY : 0),
                IN_ROOT);
        program.store(Step.Width.LONG, buffer, first);
        program.jump(found);
        program.bind(missing);
        String[] names = relative(path).split("/");
        var above = new StringBuilder();
        for (int i = 0; i < names.length; i++) {
            Arg parent = above.isEmpty() ? root : resolve(onNothing, root, above.toString(), IN_ROOT);
            boolean last = i == names.length - 1;
            make(parent, names[i], directory || !last);
            above.append(above.isEmpty() ? "" : "/").append(names[i]);
        }
        var made = resolve(onNothing, root, path, IN_ROOT);
        program.store(Step.Width.LONG, buffer, made);
        gate.ifPresent(name -> {
            program.jump(found);
            program.bind(lost);
            program.consult(name, root, List.of(Arg.buffer("nothing", Long.BYTES)));
            program.fail(named(Errno.ENOENT.code(), "ENOENT"));
        });
        program.bind(found);
        return program.load(name(path), Step.Width.LONG, buffer);
    }

    private void make(Arg parent, String name, boolean directory) {
        var exists = OnError.ignore(Errno.EEXIST);
        if (directory) {
            program.call(exists, Syscall.MKDIRAT, parent, text(name), Arg.octal(0755));
        } else {
            program.call(
                    exists,
                    Syscall.MKNODAT,
                    parent,
                    text(name),
                    named(FileTypes.S_IFREG | 0644, "S_IFREG|0644"),
                    of(0));
        }
    }

    static Arg how(long flags, long resolve) {
        return Arg.words(
                "{flags=" + OpenFlags.text(flags) + ", resolve=" + ResolveFlags.text(resolve) + "}", flags, 0, resolve);
    }

    private static String name(String path) {
        return path.startsWith("/") ? path : "/" + path;
    }

    /** {@return a path as openat2 wants it below a root: without leading slashes; the root itself is {@code "."}} */
    static String relative(String path) {
        int start = 0;
        while (start < path.length() && path.charAt(start) == '/') {
            start++;
        }
        return start == path.length() ? "." : path.substring(start);
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.fallback;

import static dev.caisson.linux.call.Arg.named;
import static dev.caisson.linux.call.Arg.nullPointer;
import static dev.caisson.linux.call.Arg.of;
import static dev.caisson.linux.call.Arg.text;
import static dev.caisson.linux.flag.DescriptorCommands.F_SETFD;

import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.child.OnError;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.linux.flag.AtFlags;
import dev.caisson.linux.flag.MountFlags;
import dev.caisson.linux.mount.MountApi;
import dev.caisson.linux.sys.Fd;
import java.nio.file.Path;
import java.util.List;

/** What the child does that becomes fuse-overlayfs(1). */
final class FuseProgram {

    /** Where its layers are, in its namespace alone: a directory that every system has and that is nobody's layer. */
    static final String WORKSHOP = "/sys";

    static final Arg.Slot WORKSHOP_MOUNT = Arg.slot("workshop");
    static final Arg.Slot DEVICE = Arg.slot("device");
    static final Arg.Slot WORDS = Arg.slot("words");
    static final Arg.Slot NOTHING = Arg.slot("nothing");

    private static final int CLOSE_RANGE_CLOEXEC = 4;
    private static final int SIG_SETMASK = 2;

    private FuseProgram() {}

    /** A mount and its place in the workshop. */
    record Place(String name, Fd mount) {
        Arg.Slot slot() {
            return Arg.slot("layer " + name);
        }
    }

    static SyscallProgram running(Path file, List<Place> places, String options, int device) {
        var program = SyscallProgram.builder().phase("fuse-overlayfs");
        program.purpose("see the layers where only it sees them", "CAP_SYS_ADMIN");
        program.call(Syscall.SETSID);
        program.call(
                Syscall.MOUNT,
                nullPointer(),
                text("/"),
                nullPointer(),
                MountFlags.of(MountFlags.MS_REC | MountFlags.MS_SLAVE),
                of(0));
        program.call(MountApi.attach(WORKSHOP_MOUNT, AtFlags.CWD, WORKSHOP));
        for (var place : places) {
            program.call(MountApi.attach(place.slot(), AtFlags.CWD, WORKSHOP + "/" + place.name()));
        }
        program.call(Syscall.CHDIR, text("/"));
        program.purpose("have no descriptor but the mount's");
        program.call(Syscall.DUP3, WORDS, of(2), of(0));
        program.call(Syscall.DUP3, NOTHING, of(0), of(0));
        program.call(Syscall.DUP3, NOTHING, of(1), of(0));
        program.call(
                Syscall.CLOSE_RANGE,
                of(3),
                named(0xffff_ffffL, "~0U"),
                named(CLOSE_RANGE_CLOEXEC, "CLOSE_RANGE_CLOEXEC"));
        program.call(Syscall.FCNTL, DEVICE, named(F_SETFD, "F_SETFD"), of(0));
        program.call(
                Syscall.RT_SIGPROCMASK, named(SIG_SETMASK, "SIG_SETMASK"), Arg.words("[]", 0), nullPointer(), of(8));
        program.purpose("run " + HostPath.shown(file));
        program.execute(
                OnError.fail(),
                Syscall.EXECVE,
                text(HostPath.of(file)),
                Arg.argv(List.of(HostPath.of(file), "-f", "-o", options, "/dev/fd/" + device)),
                Arg.envp(List.of("PATH=/usr/sbin:/usr/bin:/sbin:/bin")));
        return program.build();
    }
}

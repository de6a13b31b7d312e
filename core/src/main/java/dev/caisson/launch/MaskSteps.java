// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.Errno;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.Label;
import dev.caisson.linux.child.OnError;
import dev.caisson.linux.child.SyscallProgram;
import java.util.List;

/**
 * Kernel interfaces a container has no business with: some are covered, some become read-only. The lists are Docker's
 * ({@code linux.maskedPaths} and {@code linux.readonlyPaths} of the OCI runtime spec). What the kernel does not have needs
 * no cover.
 */
final class MaskSteps {
    private static final List<String> MASKED_DIRECTORIES =
            List.of("/proc/acpi", "/proc/asound", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap");

    private static final List<String> MASKED_FILES = List.of(
            "/proc/interrupts",
            "/proc/kcore",
            "/proc/keys",
            "/proc/latency_stats",
            "/proc/timer_list",
            "/proc/timer_stats",
            "/proc/sched_debug");

    private static final List<String> READ_ONLY =
            List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger");

    private static final long HARMLESS = MountCalls.RDONLY | MountCalls.NOSUID | MountCalls.NODEV | MountCalls.NOEXEC;

    /** Names in the workshop of what covers directories and files. */
    static final String EMPTY = "empty";

    static final String NOTHING = "nothing";

    private final PlanInput input;
    private final SyscallProgram.Builder program;
    private final MountCalls mounts;

    MaskSteps(PlanInput input, SyscallProgram.Builder program, MountCalls mounts) {
        this.input = input;
        this.program = program;
        this.mounts = mounts;
    }

    void plan(Arg root, Arg workshop, boolean kernelMounts) {
        var readOnlyPaths = input.spec().root().readOnlyPaths();
        var maskedPaths = input.spec().root().maskedPaths();
        if (kernelMounts) {
            for (var path : READ_ONLY) {
                readOnly(root, path, HARMLESS);
            }
        }
        for (var path : readOnlyPaths) {
            readOnly(root, path, MountCalls.RDONLY);
        }
        if (kernelMounts) {
            for (var path : MASKED_DIRECTORIES) {
                cover(root, path, workshop, EMPTY);
            }
            for (var path : MASKED_FILES) {
                cover(root, path, workshop, NOTHING);
            }
        }
        for (var path : maskedPaths) {
            coverAny(root, path, workshop);
        }
    }

    private void readOnly(Arg root, String path, long attributes) {
        program.purpose("make " + path + " read-only", "CAP_SYS_ADMIN").task(LaunchTask.RESTRICT_PATH);
        var absent = program.label();
        var place = mounts.resolve(ifAbsent(path, absent), root, path, MountCalls.IN_ROOT);
        var copy = mounts.cloneOf(path, place, "", true);
        mounts.setAttributes(copy, attributes, MountCalls.PRIVATE, true);
        mounts.attach(copy, place);
        program.bind(absent);
    }

    /** Covers a place with a mask of our own; a /dev/null of the image could be anything (CVE-2025-31133). */
    private void cover(Arg root, String path, Arg workshop, String mask) {
        program.purpose("mask " + path, "CAP_SYS_ADMIN");
        var absent = program.label();
        var place = mounts.resolve(OnError.jump(absent, Errno.ENOENT), root, path, MountCalls.NO_SYMLINKS);
        mounts.attach(cover(workshop, mask), place);
        program.bind(absent);
    }

    private Arg cover(Arg workshop, String mask) {
        var cover = mounts.cloneOf(mask, workshop, mask, false);
        mounts.setAttributes(cover, HARMLESS, MountCalls.PRIVATE, false);
        return cover;
    }

    /**
     * Resolved once: whoever moves the path away and back meanwhile (another container on the same directory) would else have
     * the second attempt find nothing to cover.
     */
    private void coverAny(Arg root, String path, Arg workshop) {
        program.purpose("mask " + path, "CAP_SYS_ADMIN").task(LaunchTask.RESTRICT_PATH);
        var done = program.label();
        var notADirectory = program.label();
        var place = mounts.resolve(ifAbsent(path, done), root, path, MountCalls.IN_ROOT);
        // A directory goes on directories only, a file on all others (move_mount(2): EINVAL).
        mounts.attach(OnError.jump(notADirectory, Errno.EINVAL), cover(workshop, EMPTY), place);
        program.jump(done);
        program.bind(notADirectory);
        mounts.attach(cover(workshop, NOTHING), place);
        program.bind(done);
    }

    /** In the kernel's own file systems nobody can move away what shall be restricted; elsewhere that must not succeed. */
    private static OnError ifAbsent(String path, Label absent) {
        return path.startsWith("/proc/") || path.startsWith("/sys/")
                ? OnError.jump(absent, Errno.ENOENT)
                : OnError.fail();
    }
}

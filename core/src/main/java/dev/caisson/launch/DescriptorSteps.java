// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static dev.caisson.linux.call.Arg.named;
import static dev.caisson.linux.call.Arg.of;
import static dev.caisson.linux.flag.DescriptorCommands.F_DUPFD_CLOEXEC;

import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.Step;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.spec.Stdio;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The descriptors of the command, and no others. All others are closed here, not marked to be closed at execve: what comes
 * next (the working directory, the command, its interpreter) is resolved by names of an image that may be hostile, and
 * /proc/self/fd/N leads to whatever is open as N until the execve (CVE-2024-21626). What the launch itself still has to say
 * goes through at most three descriptors, sockets and pipes without a path, which get the numbers above the command's.
 */
final class DescriptorSteps {
    private static final int FIRST_FREE = 3;
    private static final Arg O_CLOEXEC = OpenFlags.of(OpenFlags.O_CLOEXEC);
    private static final Arg LAST = named(0xffff_ffffL, "~0U");

    private final PlanInput input;
    private final SyscallProgram.Builder program;
    private final Devices devices;

    /** @param devices what streams are connected to of the container's own */
    DescriptorSteps(PlanInput input, SyscallProgram.Builder program, Devices devices) {
        this.input = input;
        this.program = program;
        this.devices = devices;
    }

    /** @param kept the slots of descriptors that later steps of the launch use */
    void plan(List<Arg.Slot> kept) {
        program.phase("descriptors");
        var numbers =
                input.spec().process().descriptors().keySet().stream().sorted().toList();
        int firstKept = numbers.isEmpty() ? FIRST_FREE : numbers.getLast() + 1;
        int report = firstKept + kept.size();
        // Out of the way first: the number of one source may be the target of another.
        int beyond = report + 1;
        moveReportBeyond(beyond);
        var keptSources = new ArrayList<Arg>();
        for (var slot : kept) {
            program.purpose("keep the " + slot.name() + " of the launch");
            keptSources.add(beyond(slot.name(), slot, beyond));
        }
        var sources = new TreeMap<Integer, Arg>();
        for (int number : numbers) {
            program.purpose("pass on descriptor " + number);
            var source = source(number, input.spec().process().descriptors().get(number));
            sources.put(number, beyond("source " + number, source, beyond));
        }
        connectStandard();
        for (var source : sources.entrySet()) {
            program.purpose("pass on descriptor " + source.getKey());
            program.call(Syscall.DUP3, source.getValue(), of(source.getKey()), of(0));
        }
        for (int i = 0; i < kept.size(); i++) {
            var place = of(firstKept + i);
            program.purpose("keep the " + kept.get(i).name() + " of the launch");
            program.call(Syscall.DUP3, keptSources.get(i), place, O_CLOEXEC);
            program.moved(kept.get(i), place);
        }
        program.purpose("close all others, before anything of the image is resolved", "Linux 5.9");
        int from = FIRST_FREE;
        for (int number : numbers) {
            if (from < number) {
                program.call(Syscall.CLOSE_RANGE, of(from), of(number - 1), of(0));
            }
            from = number + 1;
        }
        closeFrom(report);
    }

    private Arg beyond(String name, Arg source, int least) {
        return program.result(name, Syscall.FCNTL, source, named(F_DUPFD_CLOEXEC, "F_DUPFD_CLOEXEC"), of(least));
    }

    private void connectStandard() {
        var standard = List.of(
                input.spec().process().stdin(),
                input.spec().process().stdout(),
                input.spec().process().stderr());
        for (int number = 0; number < standard.size(); number++) {
            program.purpose("connect " + Slots.descriptor(number).name());
            program.call(Syscall.DUP3, source(number, standard.get(number).orElse(null)), of(number), of(0));
        }
    }

    private Arg source(int number, @Nullable Stdio stdio) {
        Optional<Arg> own = Optional.empty();
        if (stdio instanceof Stdio.Discard) {
            own = devices.nothing();
        } else if (stdio instanceof Stdio.Terminal) {
            own = devices.terminal();
        }
        return own.isPresent() ? own.get() : Slots.descriptor(number);
    }

    /** Whether the child reports by a descriptor is for the way of the launch to say, which the plan does not know. */
    private void moveReportBeyond(int least) {
        program.purpose("keep the report of the launch");
        var none = program.label();
        var old = program.load("report", Step.Width.INT, program.reportWord());
        program.branch(Step.Condition.LESS, old, of(0), none);
        program.store(Step.Width.INT, program.reportWord(), beyond("report", old, least));
        program.bind(none);
    }

    private void closeFrom(int report) {
        var place = of(report);
        var none = program.label();
        var closed = program.label();
        var copy = program.load("report", Step.Width.INT, program.reportWord());
        program.branch(Step.Condition.LESS, copy, of(0), none);
        program.call(Syscall.DUP3, copy, place, O_CLOEXEC);
        program.store(Step.Width.INT, program.reportWord(), place);
        program.call(Syscall.CLOSE_RANGE, of(report + 1), LAST, of(0));
        program.jump(closed);
        program.bind(none);
        program.call(Syscall.CLOSE_RANGE, of(report), LAST, of(0));
        program.bind(closed);
    }
}

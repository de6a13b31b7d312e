// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static dev.caisson.linux.call.Arg.named;
import static dev.caisson.linux.call.Arg.nullPointer;
import static dev.caisson.linux.call.Arg.of;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.OnError;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.spec.Capabilities;
import dev.caisson.spec.Capability;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Securebit;
import dev.caisson.spec.Stdio;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Set;

/**
 * The user and the capabilities of the command, in the one order that works: the bounding set while CAP_SETPCAP is still
 * there, the user while CAP_SETUID is, then the sets themselves, the ambient one last.
 */
final class CapabilitySteps {
    private static final Arg PR_CAPBSET_DROP = named(24, "PR_CAPBSET_DROP");
    private static final Arg PR_SET_KEEPCAPS = named(8, "PR_SET_KEEPCAPS");
    private static final Arg PR_SET_SECUREBITS = named(28, "PR_SET_SECUREBITS");
    private static final Arg PR_CAP_AMBIENT = named(47, "PR_CAP_AMBIENT");
    private static final Arg PR_CAP_AMBIENT_RAISE = named(2, "PR_CAP_AMBIENT_RAISE");
    private static final Arg PR_CAP_AMBIENT_CLEAR_ALL = named(4, "PR_CAP_AMBIENT_CLEAR_ALL");
    private static final int VERSION_3 = 0x20080522;

    private final PlanInput input;
    private final SyscallProgram.Builder program;

    CapabilitySteps(PlanInput input, SyscallProgram.Builder program) {
        this.input = input;
        this.program = program;
    }

    /** What a preparation does already: it gives up for good, and the rest does not miss it. */
    void planAhead() {
        input.spec().privileges().capabilities().ifPresent(this::bound);
    }

    void plan() {
        program.phase("privileges");
        var capabilities = input.spec().privileges().capabilities();
        if (input.part() == PlanInput.Part.WHOLE) {
            planAhead();
        }
        if (capabilities.isPresent() && !staysUser0()) {
            program.purpose("keep capabilities when leaving user 0");
            prctl(OnError.fail(), PR_SET_KEEPCAPS, of(1));
        }
        user();
        securebits();
        if (capabilities.isPresent()) {
            set(capabilities.get());
        }
    }

    private boolean staysUser0() {
        return input.principal().isPresent() && input.principal().get().uid() == 0;
    }

    private void bound(Capabilities capabilities) {
        program.purpose("give up capabilities for good", "CAP_SETPCAP");
        for (int number = 0; number <= input.host().lastCapability(); number++) {
            if (!contains(capabilities.bounding(), number)) {
                prctl(OnError.fail(), PR_CAPBSET_DROP, capability(number));
            }
        }
    }

    private void user() {
        var principal = input.principal();
        boolean setsUser = input.spec().process().user().isPresent()
                || !input.spec().process().groups().isEmpty()
                || !input.spec().bare();
        if (!setsUser) {
            return;
        }
        String who = principal.isEmpty()
                ? "that user"
                : "user " + principal.get().uid() + ", group " + principal.get().gid();
        program.purpose("be " + who, "CAP_SETUID, CAP_SETGID");
        var numbers = principal.isPresent() ? numbers(principal.get()) : new AccountSteps(program).answered();
        givePipes(numbers);
        new TerminalSteps(input, program).planOwner(numbers.uid());
        // Where setgroups is denied the host's groups stay, but nobody inside can name them.
        boolean mayBeDenied = input.joins(Namespace.USER)
                || input.host().isInUserNamespace()
                || input.idMap().isPresent() && IdMapSteps.isOwn(input.idMap().get(), input.host());
        boolean denied = mayBeDenied && input.spec().process().groups().isEmpty();
        program.call(
                denied ? OnError.ignore(Errno.EPERM) : OnError.fail(),
                Syscall.SETGROUPS,
                numbers.groupCount(),
                numbers.groups());
        program.call(Syscall.SETRESGID, numbers.gid(), numbers.gid(), numbers.gid());
        program.call(Syscall.SETRESUID, numbers.uid(), numbers.uid(), numbers.uid());
    }

    private static AccountSteps.Numbers numbers(Principal principal) {
        var groups = principal.groups();
        int[] ids = groups.stream().mapToInt(Integer::intValue).toArray();
        return new AccountSteps.Numbers(
                of(principal.uid()),
                of(principal.gid()),
                of(ids.length),
                ids.length == 0 ? nullPointer() : Arg.ints(groups.toString(), ids));
    }

    /** What the JVM may not give to a subordinate id, the child may, which has both ids in its namespace. */
    private void givePipes(AccountSteps.Numbers numbers) {
        boolean several = input.idMapInside().filter(map -> !map.isSingle()).isPresent();
        if (input.host().can(Capability.CHOWN) || !several) {
            return;
        }
        var process = input.spec().process();
        var streams = List.of(process.stdin(), process.stdout(), process.stderr());
        for (int number = 0; number < streams.size(); number++) {
            if (streams.get(number).filter(CapabilitySteps::isPipe).isPresent()) {
                program.call(
                        OnError.ignore(Errno.EPERM, Errno.EINVAL),
                        Syscall.FCHOWN,
                        of(number),
                        numbers.uid(),
                        numbers.gid());
            }
        }
    }

    private static boolean isPipe(Stdio stdio) {
        return stdio instanceof Stdio.Pipe
                || stdio instanceof Stdio.Memory
                || stdio instanceof Stdio.Ring
                || stdio instanceof Stdio.Lines
                || stdio instanceof Stdio.Tee;
    }

    private void securebits() {
        var securebits = input.spec().privileges().securebits();
        if (!securebits.isEmpty()) {
            program.purpose("set the securebits " + securebits, "CAP_SETPCAP");
            int bits = securebits.stream().mapToInt(Securebit::bit).sum();
            prctl(OnError.fail(), PR_SET_SECUREBITS, of(bits));
        }
    }

    private void set(Capabilities capabilities) {
        program.purpose("set the capabilities");
        prctl(OnError.fail(), PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL);
        long effective = mask(capabilities.effective());
        long permitted = mask(capabilities.permitted());
        long inheritable = mask(capabilities.inheritable());
        var data = ByteBuffer.allocate(24).order(ByteOrder.nativeOrder());
        for (int shift = 0; shift < Long.SIZE; shift += Integer.SIZE) {
            data.putInt((int) (effective >>> shift));
            data.putInt((int) (permitted >>> shift));
            data.putInt((int) (inheritable >>> shift));
        }
        program.call(
                Syscall.CAPSET,
                Arg.ints("{_LINUX_CAPABILITY_VERSION_3, 0}", VERSION_3, 0),
                Arg.bytes(
                        data.array(),
                        "{effective=" + text(capabilities.effective()) + ", permitted="
                                + text(capabilities.permitted()) + ", inheritable="
                                + text(capabilities.inheritable()) + "}"));
        for (var capability : capabilities.ambient()) {
            if (capability.ordinal() <= input.host().lastCapability()) {
                prctl(OnError.fail(), PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability(capability.ordinal()));
            }
        }
    }

    private long mask(Set<Capability> capabilities) {
        long mask = 0;
        for (var capability : capabilities) {
            if (capability.ordinal() <= input.host().lastCapability()) {
                mask |= 1L << capability.ordinal();
            }
        }
        return mask;
    }

    private static boolean contains(Set<Capability> capabilities, int number) {
        return capabilities.stream().anyMatch(c -> c.ordinal() == number);
    }

    private static Arg capability(int number) {
        return number < Capability.values().length
                ? named(number, Capability.values()[number].kernelName())
                : of(number);
    }

    private static String text(Set<Capability> capabilities) {
        if (capabilities.isEmpty()) {
            return "0";
        }
        return String.join(
                "|", capabilities.stream().map(Capability::kernelName).toList());
    }

    private void prctl(OnError onError, Arg... args) {
        var five = new Arg[] {of(0), of(0), of(0), of(0), of(0)};
        System.arraycopy(args, 0, five, 0, args.length);
        program.call(onError, Syscall.PRCTL, five);
    }
}

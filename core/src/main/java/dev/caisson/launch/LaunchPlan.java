// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.Launch;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.spec.Namespace;
import java.util.ArrayList;
import java.util.List;

/**
 * A description and a host turned into what will happen: the program of the child and the way it is cloned. Pure: nothing
 * is asked of the kernel here, and equal inputs give equal plans.
 *
 * @param flags CLONE_NEW* flags for clone3
 * @param parent what the JVM does, in words, for the reader of the plan
 */
public record LaunchPlan(PlanInput input, SyscallProgram program, Launch.Mode mode, long flags, List<String> parent) {

    /** Plans a launch of which everything has been decided. */
    static LaunchPlan compile(PlanInput input) {
        var program = SyscallProgram.builder();
        var namespaces = new NamespaceSteps(input, program);
        boolean isolated = isIsolated(input);
        var exec = new ExecSteps(input, program, isolated);
        switch (input.part()) {
            case WHOLE -> start(input, program, exec, prepare(input, program, exec));
            case PREPARATION -> {
                var devices = prepare(input, program, exec);
                program.phase("privileges");
                new CapabilitySteps(input, program).planAhead();
                if (SeccompSteps.isAhead(input)) {
                    var seccomp = new SeccompSteps(input, program);
                    seccomp.planNoNewPrivileges();
                    seccomp.planFilters();
                }
                program.phase("wait");
                program.await(devices.directory());
            }
            case START -> start(input, program, exec, KernelMounts.left(input, program));
        }
        return new LaunchPlan(
                input,
                program.build(),
                isolated ? Launch.Mode.ISOLATED : Launch.Mode.DIRECT,
                namespaces.cloneFlags(),
                parentSide(input));
    }

    /** {@return what there is of a /dev of the container's own} */
    private static Devices prepare(PlanInput input, SyscallProgram.Builder program, ExecSteps exec) {
        boolean isolated = isIsolated(input);
        var namespaces = new NamespaceSteps(input, program);
        exec.planBeginning();
        var root = new RootSteps(input, program);
        if (input.isFresh(Namespace.MOUNT) && !input.joins(Namespace.USER)) {
            root.planSources();
        }
        var ids = new IdMapSteps(input, program);
        ids.plan();
        namespaces.planCgroup();
        if (isolated) {
            exec.planUndumpable();
        }
        namespaces.planJoins();
        ids.planJoined();
        namespaces.planSettings();
        var devices = input.isFresh(Namespace.MOUNT) ? root.plan() : Devices.none();
        namespaces.planNetwork();
        if (input.principal().isEmpty() && !input.spec().hasOwnRoot()) {
            new AccountSteps(program).askAboutRoot();
        }
        return devices;
    }

    private static void start(PlanInput input, SyscallProgram.Builder program, ExecSteps exec, Devices own) {
        var namespaces = new NamespaceSteps(input, program);
        var terminal = new TerminalSteps(input, program);
        var devices = input.joins(Namespace.MOUNT) ? Devices.ofTerminal(terminal.planJoined()) : own;
        new DescriptorSteps(input, program, devices).plan(kept(input));
        terminal.planSettings();
        boolean late = namespaces.forks() && namespaces.forksLate();
        if (!late && !hasProcessBetween(input)) {
            terminal.planControl();
        }
        exec.planLimits();
        boolean isolated = isIsolated(input);
        var seccomp = new SeccompSteps(input, program);
        boolean early = !input.spec().privileges().noNewPrivileges();
        if (early) {
            seccomp.planFilters();
        }
        new CapabilitySteps(input, program).plan();
        exec.planDirectory();
        boolean confined = !early && late && seccomp.allow(between(input, isolated));
        if (confined) {
            // Whoever inside seizes the second child from its first instant on gains nothing by it.
            seccomp.planNoNewPrivileges();
            seccomp.planFilters();
        }
        if (late) {
            exec.planUndumpableAgain();
        }
        boolean installed = confined || input.part() == PlanInput.Part.START && SeccompSteps.isAhead(input);
        planBetween(input, program, late, isolated, !installed);
        if (!early && !installed) {
            seccomp.planFilters();
        }
        exec.planExec(Environment.of(input.spec(), input.principal()));
    }

    /** {@return what a child does from its fork into a PID namespace on, but for its execve} */
    private static SyscallProgram between(PlanInput input, boolean isolated) {
        var program = SyscallProgram.builder();
        planBetween(input, program, true, isolated, false);
        new ExecSteps(input, program, isolated).planSignals();
        return program.build();
    }

    private static void planBetween(
            PlanInput input, SyscallProgram.Builder program, boolean late, boolean isolated, boolean noNewPrivileges) {
        if (late) {
            new NamespaceSteps(input, program).planFork();
            if (!hasProcessBetween(input)) {
                new TerminalSteps(input, program).planControl();
            }
        }
        if (isolated) {
            new ExecSteps(input, program, true).planDeathOfParent();
        }
        if (noNewPrivileges) {
            new SeccompSteps(input, program).planNoNewPrivileges();
        }
        if (input.hasReaper()) {
            new InitSteps(program).planReaper();
        } else if (input.spec().hasInit()) {
            new InitSteps(program).plan(!input.host().isPrivileged());
        }
        if (hasProcessBetween(input)) {
            new TerminalSteps(input, program).planControl();
        }
    }

    /** {@return whether the command is the child of a process of ours in the container} */
    private static boolean hasProcessBetween(PlanInput input) {
        return input.spec().hasInit() || input.hasReaper();
    }

    /** {@return the parameters of descriptors that are used after the root is entered} */
    private static List<Arg.Slot> kept(PlanInput input) {
        var kept = new ArrayList<Arg.Slot>();
        if (SeccompSteps.hasListener(input)) {
            kept.add(SyscallProgram.GATE);
        }
        if (hasProcessBetween(input)) {
            kept.add(Slots.STATUS);
        }
        return kept;
    }

    /**
     * {@return whether the child may have nothing of the JVM: all but bare commands that meet nobody untrusted before their
     * execve, need nobody's help, and leave nothing behind that stays}
     */
    private static boolean isIsolated(PlanInput input) {
        var spec = input.spec();
        return !spec.bare()
                || input.part() != PlanInput.Part.WHOLE
                || spec.hasOwnRoot()
                || hasProcessBetween(input)
                || !spec.namespaces().joins().isEmpty()
                || SeccompSteps.hasListener(input)
                || input.principal().isEmpty()
                || input.idMap().isPresent();
    }

    private static List<String> parentSide(PlanInput input) {
        var parent = new ArrayList<String>();
        var map = input.idMap();
        if (map.isPresent() && !IdMapSteps.isOwn(map.get(), input.host())) {
            parent.add("write uid_map: " + map.get().uids());
            parent.add("write gid_map: " + map.get().gids());
        }
        if (input.spec().privileges().supervised().isPresent()) {
            parent.add("answer supervised calls from the seccomp listener");
        }
        return parent;
    }

    /** {@return what of a preset's isolation this host does not allow, each with the reason} */
    public List<String> unenforced() {
        List<String> bound =
                input.hostTree().isPresent() ? input.hostTree().get().bound() : List.of();
        return bound.isEmpty() || !input.spec().root().forUntrusted()
                ? List.of()
                : List.of("no reach to the host's sockets below " + String.join(", ", bound)
                        + ": something is mounted there in the midst of too many entries, or its file system is none"
                        + " for layers, and an ordinary user can only show it as it is; mask what has sockets, or run"
                        + " as root");
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static dev.caisson.linux.call.Arg.nullPointer;
import static dev.caisson.linux.call.Arg.of;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.child.OnError;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.spec.Capability;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Namespace;

/**
 * The ids of a new user namespace (user_namespaces(7)). A process may map its own user and group itself, once it has given
 * up setgroups; every other map is written from outside, at a gate: by the JVM if it has CAP_SETUID and CAP_SETGID, else by
 * newuidmap(1) and newgidmap(1) within the ranges of /etc/subuid and /etc/subgid.
 */
final class IdMapSteps {
    /** The gate at which the parent writes the maps. */
    static final String GATE = "id maps";

    private final PlanInput input;
    private final SyscallProgram.Builder program;

    IdMapSteps(PlanInput input, SyscallProgram.Builder program) {
        this.input = input;
        this.program = program;
    }

    /** {@return whether the child can write this map without help} */
    static boolean isOwn(IdMap map, HostFacts host) {
        return map.isSingle()
                && map.uids().get(0).outside() == host.uid()
                && map.gids().get(0).outside() == host.gid();
    }

    void plan() {
        if (!input.isFresh(Namespace.USER)) {
            return;
        }
        var map = input.idMap().orElseThrow();
        program.phase("user namespace");
        if (isOwn(map, input.host())) {
            program.purpose("map the own user and group");
            NamespaceSteps.writeFile(program, "/proc/self/setgroups", "deny");
            NamespaceSteps.writeFile(
                    program, "/proc/self/uid_map", map.uids().get(0).toString());
            NamespaceSteps.writeFile(
                    program, "/proc/self/gid_map", map.gids().get(0).toString());
        } else {
            boolean direct = input.host().can(Capability.SETUID) && input.host().can(Capability.SETGID);
            program.purpose(
                            "wait for the id maps, written by "
                                    + (direct ? "the JVM" : "newuidmap(1) and newgidmap(1)"),
                            direct
                                    ? "CAP_SETUID, CAP_SETGID"
                                    : "newuidmap, newgidmap, ranges in /etc/subuid and /etc/subgid")
                    .task(LaunchTask.WAIT_FOR_ID_MAPS);
            program.gate(GATE);
        }
        becomeRoot();
    }

    /** After a user namespace is joined, in which the JVM's user is nobody. */
    void planJoined() {
        if (input.joins(Namespace.USER)) {
            program.phase("user namespace");
            becomeRoot();
        }
    }

    /** User 0 of the namespace if it has one: files made from here on must belong to somebody. */
    private void becomeRoot() {
        boolean hasRoot =
                input.idMapInside().map(m -> m.hasUid(0) && m.hasGid(0)).orElse(true);
        if (!hasRoot) {
            return;
        }
        program.purpose("be root of the user namespace", "CAP_SETUID, CAP_SETGID inside");
        program.call(OnError.ignore(Errno.EPERM), Syscall.SETGROUPS, of(0), nullPointer());
        program.call(Syscall.SETRESGID, of(0), of(0), of(0));
        program.call(Syscall.SETRESUID, of(0), of(0), of(0));
    }
}

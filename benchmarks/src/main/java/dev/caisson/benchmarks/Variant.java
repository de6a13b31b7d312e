// SPDX-License-Identifier: Apache-2.0
package dev.caisson.benchmarks;

import dev.caisson.Container;
import dev.caisson.ContainerBuilder;
import dev.caisson.launch.Hosts;
import dev.caisson.launch.ImmutableContainerSpec;
import dev.caisson.launch.ImmutableNamespaceSpec;
import dev.caisson.launch.ImmutablePrivilegeSpec;
import dev.caisson.launch.ImmutableProcessSpec;
import dev.caisson.launch.ImmutableRootSpec;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Planner;
import dev.caisson.linux.sys.Kernel;
import dev.caisson.seccomp.FilterProgram;
import dev.caisson.spec.Capabilities;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Stdio;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** What is launched, from nothing to a whole container; the same in Java, in C and with other tools. */
enum Variant {
    NO_NAMESPACES(Set.of(), false),
    PID_MNT_IPC_UTS(EnumSet.of(Namespace.PID, Namespace.MOUNT, Namespace.IPC, Namespace.UTS), false),
    PLUS_NET(EnumSet.of(Namespace.PID, Namespace.MOUNT, Namespace.IPC, Namespace.UTS, Namespace.NETWORK), false),
    PLUS_USER(EnumSet.of(Namespace.PID, Namespace.MOUNT, Namespace.IPC, Namespace.UTS, Namespace.USER), false),
    CONTAINER(EnumSet.of(Namespace.PID, Namespace.MOUNT, Namespace.IPC, Namespace.UTS), true),
    CONTAINER_NET(EnumSet.of(Namespace.PID, Namespace.MOUNT, Namespace.IPC, Namespace.UTS, Namespace.NETWORK), true);

    private final Set<Namespace> namespaces;
    private final boolean root;

    Variant(Set<Namespace> namespaces, boolean root) {
        this.namespaces = namespaces;
        this.root = root;
    }

    /** {@return the builder a user would write} */
    ContainerBuilder builder(Path layer) {
        var builder = root ? Container.builder().lower(layer).seccomp(allowAll()) : Container.bare();
        if (root) {
            for (var preset : EnumSet.of(Namespace.NETWORK, Namespace.IPC, Namespace.UTS, Namespace.CGROUP)) {
                builder = namespaces.contains(preset) ? builder : builder.host(preset);
            }
        }
        for (var namespace : namespaces) {
            builder =
                    namespace == Namespace.USER ? builder.newUser(IdMap.range(0, 0, 65_536)) : builder.fresh(namespace);
        }
        return builder.stdin(Stdio.discard()).stdout(Stdio.discard()).stderr(Stdio.discard());
    }

    /** {@return the plan of that builder, for the engine alone and for the C program} */
    LaunchPlan plan(Path layer, List<String> command) throws IOException {
        var spaces = ImmutableNamespaceSpec.builder().addAllFresh(namespaces);
        if (namespaces.contains(Namespace.USER)) {
            // The child writes this one itself, so that C needs no second thread either.
            spaces.idMap(IdMap.single(0, 0, 0, 0));
        }
        var files = ImmutableRootSpec.builder();
        var privileges = ImmutablePrivilegeSpec.builder();
        if (root) {
            files.addLower(layer);
            privileges.capabilities(Capabilities.docker()).addSeccompFilters(new FilterProgram(allowAll()));
        } else {
            files.kernelMounts(false);
            privileges.noNewPrivileges(false);
        }
        var spec = ImmutableContainerSpec.builder()
                .bare(!root)
                .root(files.build())
                .namespaces(spaces.build())
                .process(ImmutableProcessSpec.builder()
                        .stdin(Stdio.discard())
                        .stdout(Stdio.discard())
                        .stderr(Stdio.discard())
                        .build())
                .privileges(privileges.build());
        return new Planner(Hosts.ofThisProcess(Kernel.ofThisMachine())).plan(spec.build(), command, List.of());
    }

    /** One instruction: return SECCOMP_RET_ALLOW. */
    private static byte[] allowAll() {
        return new byte[] {6, 0, 0, 0, 0, 0, (byte) 0xff, 0x7f};
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.overlay.Overlay;
import dev.caisson.overlay.OverlayOptions;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Stdio;
import java.util.Optional;
import java.util.stream.Stream;

/** Settings that are fine alone and not together. Each message names both and says how out of it. */
final class Contradictions {
    private Contradictions() {}

    /** Checks each part of a description, and then the parts beside one another. */
    static void check(ContainerSpec spec) {
        spec.root().checkTogether();
        spec.namespaces().checkTogether();
        spec.privileges().checkTogether();
        spec.process().checkTogether();
        checkRoot(spec);
        spec.supervision().checkTogether();
        checkSupervision(spec);
        refuse(
                spec.hasInit() && !Implied.namespaces(spec).contains(Namespace.PID),
                "init",
                "a PID namespace that is not new",
                "an init is PID 1; call newPid()");
        refuse(
                spec.limits().delegated() && !(spec.hasOwnRoot() && spec.root().kernelMounts()),
                "delegateCgroup",
                "no root and /sys of its own",
                "call lower(...) or rootfs(...) on a builder that is not bare");
        refuse(
                spec.limits().leavable() && limitsItself(spec.limits()),
                "a limit of a command",
                "delegateCgroup of its container",
                "root inside could move the command out of its cgroup; limit the container");
    }

    private static boolean limitsItself(LimitSpec limits) {
        return limits.cpuTimeMax().isPresent()
                || limits.set().isPresent() && !limits.set().get().all().isEmpty();
    }

    private static boolean isForThisProgram(Stdio output) {
        return !(output instanceof Stdio.Log
                || output instanceof Stdio.File
                || output instanceof Stdio.Discard
                || output instanceof Stdio.Inherit);
    }

    private static void checkSupervision(ContainerSpec spec) {
        boolean detached = spec.supervision().detached();
        var process = spec.process();
        for (var output : Stream.concat(process.stdout().stream(), process.stderr().stream())
                .toList()) {
            refuse(
                    !detached && output instanceof Stdio.Log,
                    "Stdio.log",
                    "a container that ends with this JVM",
                    "its supervisor writes the log; call name(...).detached(), or use Stdio.appendTo");
            if (detached && isForThisProgram(output)) {
                refuse(
                        true,
                        "detached",
                        "output to this program (" + output + ")",
                        "nobody reads it when this JVM is gone; use Stdio.log, a file, or discard");
            }
        }
        if (!detached) {
            return;
        }
        refuse(
                spec.limits().cpuTimeMax().isPresent(),
                "detached",
                "cpuTimeMax",
                "the JVM watches over that; leave it out, or set a timeout");
        refuse(
                spec.privileges().supervised().isPresent(),
                "detached",
                "a policy with supervisors",
                "nobody answers them when this JVM is gone; leave them out");
        refuse(spec.root().branch().isPresent(), "detached", "a branch", "its use ends with this JVM; use upper(...)");
        refuse(
                spec.root().source() instanceof Root.Layers(var overlay)
                        && !overlay.fallbacks().isEmpty(),
                "detached",
                "overlayFallback",
                "what it merges ends with this JVM; leave it out");
        refuse(
                spec.supervision().restarts()
                        && spec.namespaces().joined(Namespace.PID).isPresent(),
                "restart",
                "joining a PID namespace",
                "the command is not the supervisor's own child then; leave one out");
    }

    private static void checkRoot(ContainerSpec spec) {
        var namespaces = spec.namespaces();
        refuse(
                spec.hasOwnRoot() && namespaces.joined(Namespace.MOUNT).isPresent(),
                "a root (lower or rootfs)",
                "joining a mount namespace",
                "it has a root already; leave one out");
        refuse(
                spec.hasOwnRoot() && namespaces.host().contains(Namespace.MOUNT),
                "a root (lower or rootfs)",
                "the host's mount namespace",
                "the host's root would change; leave one out");
        refuse(
                !spec.hasOwnRoot() && spec.root().changesMounts() && !namespaces.leavesOpen(Namespace.MOUNT),
                "a mount, mask or read-only path",
                "a mount namespace that is not the container's",
                "the mounts would change for others too; leave one out");
        refuse(
                !spec.hasOwnRoot()
                        && !spec.bare()
                        && namespaces.joined(Namespace.MOUNT).isEmpty(),
                "no root",
                "a builder that is not bare",
                "call lower(...), lower(Path.of(\"/\")) for the host's files, or rootfs(...)");
        refuse(
                spec.root().idmappedLayers()
                        && (!Implied.namespaces(spec).contains(Namespace.USER)
                                || namespaces.idMap().filter(IdMap::isSingle).isPresent()),
                "idmappedLayers",
                "no new user namespace with a map of several ids",
                "call newUser(IdMap.range(...))");
        refuse(
                spec.root().source() instanceof Root.Layers(var overlay)
                        && hasMarksOfRoot(overlay)
                        && (Implied.namespaces(spec).contains(Namespace.USER)
                                || namespaces.joined(Namespace.USER).isPresent()),
                "redirectDir or metacopy",
                "a user namespace",
                "the kernel refuses them where root is not the host's; leave one out");
    }

    private static boolean hasMarksOfRoot(Overlay overlay) {
        return overlay.options().redirectDir().equals(Optional.of(OverlayOptions.RedirectDir.ON))
                || overlay.options().metacopy().equals(Optional.of(OverlayOptions.Metacopy.ON));
    }

    static void refuse(boolean contradiction, String one, String other, String remedy) {
        if (contradiction) {
            throw new IllegalStateException(one + " contradicts " + other + ": " + remedy);
        }
    }
}

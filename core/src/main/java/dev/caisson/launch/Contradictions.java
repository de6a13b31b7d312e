// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.overlay.OverlayOptions;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Namespace;
import java.util.HashSet;
import java.util.Optional;

/** Settings that are fine alone and not together. Each message names both and says how out of it. */
final class Contradictions {
    private Contradictions() {}

    static void check(ContainerSpec spec) {
        for (var namespace : Namespace.values()) {
            boolean fresh = spec.newNamespaces().contains(namespace);
            boolean joined = spec.joined(namespace).isPresent();
            boolean host = spec.hostNamespaces().contains(namespace);
            refuse(fresh && joined, "a new " + namespace + " namespace", "joining one", "choose one of them");
            refuse(fresh && host, "a new " + namespace + " namespace", "that of the host", "choose one of them");
            refuse(joined && host, "joining a " + namespace + " namespace", "that of the host", "choose one of them");
            refuse(
                    spec.joins().stream()
                                    .filter(j -> j.namespace() == namespace)
                                    .count()
                            > 1,
                    "joining one " + namespace + " namespace",
                    "joining another",
                    "a process is in one");
        }
        boolean ownUts = !spec.hostNamespaces().contains(Namespace.UTS)
                && spec.joined(Namespace.UTS).isEmpty();
        refuse(
                (spec.hostname().isPresent() || spec.domainName().isPresent()) && !ownUts,
                "hostname or domainName",
                "a UTS namespace that is not the container's",
                "the name would change for others too; leave one out");
        refuse(
                (spec.monotonicOffset().isPresent() || spec.bootTimeOffset().isPresent())
                        && spec.joined(Namespace.TIME).isPresent(),
                "a clock offset",
                "joining a time namespace",
                "its offsets are fixed; leave one out");
        refuse(
                spec.idMap().isPresent() && spec.joined(Namespace.USER).isPresent(),
                "an id map",
                "joining a user namespace",
                "it has a map already; leave the map out");
        refuse(
                spec.hasOwnRoot() && spec.joined(Namespace.MOUNT).isPresent(),
                "a root (lower or rootfs)",
                "joining a mount namespace",
                "it has a root already; leave one out");
        refuse(
                spec.hasOwnRoot() && spec.hostNamespaces().contains(Namespace.MOUNT),
                "a root (lower or rootfs)",
                "the host's mount namespace",
                "the host's root would change; leave one out");
        refuse(
                !spec.hasOwnRoot()
                        && !spec.bare()
                        && spec.joined(Namespace.MOUNT).isEmpty(),
                "no root",
                "a builder that is not bare",
                "call lower(...), lower(Path.of(\"/\")) for the host's files, or rootfs(...)");
        refuse(
                spec.readOnlyRoot() && !spec.hasOwnRoot(),
                "readOnly",
                "the host's own root",
                "call lower(Path.of(\"/\")) for a root that can be read-only");
        refuse(
                spec.init() && !Implied.namespaces(spec).contains(Namespace.PID),
                "init",
                "a PID namespace that is not new",
                "an init is PID 1; call newPid()");
        refuse(
                !spec.securebits().isEmpty() && spec.capabilities().isEmpty(),
                "securebits",
                "capabilities left as they are",
                "say which capabilities the command has");
        refuse(
                spec.idmappedLayers() && !(spec.root() instanceof ContainerSpec.Root.Layers),
                "idmappedLayers",
                "a root without layers",
                "call lower(...)");
        refuse(
                spec.idmappedLayers()
                        && (!Implied.namespaces(spec).contains(Namespace.USER)
                                || spec.idMap()
                                        .filter(dev.caisson.spec.IdMap::isSingle)
                                        .isPresent()),
                "idmappedLayers",
                "no new user namespace with a map of several ids",
                "call newUser(IdMap.range(...))");
        if (spec.root() instanceof ContainerSpec.Root.Layers(var overlay)) {
            refuse(
                    spec.idmappedLayers() && !overlay.fallbacks().isEmpty(),
                    "idmappedLayers",
                    "overlayFallback",
                    "no fallback shows layers with other ids; leave one out");
            boolean ownMarks = overlay.options().redirectDir().equals(Optional.of(OverlayOptions.RedirectDir.ON))
                    || overlay.options().metacopy().equals(Optional.of(OverlayOptions.Metacopy.ON));
            refuse(
                    ownMarks
                            && (Implied.namespaces(spec).contains(Namespace.USER)
                                    || spec.joined(Namespace.USER).isPresent()),
                    "redirectDir or metacopy",
                    "a user namespace",
                    "the kernel refuses them where root is not the host's; leave one out");
        }
        refuse(
                spec.delegatesCgroup() && !(spec.hasOwnRoot() && spec.kernelMounts()),
                "delegateCgroup",
                "no root and /sys of its own",
                "call lower(...) or rootfs(...) on a builder that is not bare");
        var targets = new HashSet<String>();
        for (Mount mount : spec.mounts()) {
            refuse(
                    !targets.add(MountCalls.relative(mount.target())),
                    "one mount on " + mount.target(),
                    "another on the same path",
                    "the second would hide the first");
        }
    }

    private static void refuse(boolean contradiction, String one, String other, String remedy) {
        if (contradiction) {
            throw new IllegalStateException(one + " contradicts " + other + ": " + remedy);
        }
    }
}

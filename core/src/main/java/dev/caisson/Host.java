// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.hierarchy.Hierarchy;
import dev.caisson.cgroups.hierarchy.Placement;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.engine.Engine;
import dev.caisson.launch.FailureText;
import dev.caisson.launch.HostFacts;
import dev.caisson.launch.Hosts;
import dev.caisson.launch.ProcFile;
import dev.caisson.linux.Feature;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.sys.Kernel;
import dev.caisson.overlay.store.Removal;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Stdio;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * What this machine can do for this process: probed, not derived from a version. Immutable.
 *
 * @param findings in the order of a report
 */
public record Host(List<Finding> findings) {
    public Host {
        findings = List.copyOf(findings);
    }

    /**
     * One fact.
     *
     * @param subject what it is about, such as {@code "user namespaces"}
     * @param detail what was found, and where something is amiss, what to do about it
     */
    public record Finding(State state, String subject, String detail) {}

    /** What a finding means for containers. */
    public enum State {
        YES,
        NO,
        /** Could not be told without trying for real. */
        UNKNOWN,
        /** A plain fact. */
        FACT
    }

    /**
     * {@return the examination of this host} Takes a few milliseconds; changes nothing. Where no container can be started at
     * all, the first finding says why.
     */
    public static Host doctor() throws IOException {
        var findings = new ArrayList<Finding>();
        Kernel kernel;
        HostFacts host;
        try {
            var engine = Engine.shared();
            kernel = engine.kernel();
            host = engine.host();
        } catch (IOException refused) {
            findings.add(new Finding(State.NO, "containers", String.valueOf(refused.getMessage())));
            kernel = Kernel.ofThisMachine();
            host = Hosts.ofThisProcess(kernel);
        }
        findings.add(fact("kernel", System.getProperty("os.version") + " " + System.getProperty("os.arch")));
        caller(findings, host);
        namespaces(findings, host);
        cgroups(findings);
        for (var feature : Feature.values()) {
            if (feature != Feature.USER_NAMESPACE) {
                findings.add(new Finding(state(kernel.probe(feature)), feature.title(), detail(feature)));
            }
        }
        findings.add(fact(
                "security modules", ProcFile.line("/sys/kernel/security/lsm").orElse("not readable")));
        findings.add(fact(
                "seccomp actions",
                ProcFile.line("/proc/sys/kernel/seccomp/actions_avail").orElse("none: the kernel has no seccomp")));
        knobs(findings);
        return new Host(findings);
    }

    /**
     * {@return what removes trees that containers of an ordinary user have left, for {@link
     * dev.caisson.overlay.store.LayerStore#open(java.nio.file.Path, Removal)}} Their files may belong to the user's subordinate ids
     * (subuid(5)), so that only a user namespace that has those may remove them.
     */
    public static Removal removal() {
        return new SubordinateRemoval();
    }

    /**
     * Ends what Caisson keeps running for this JVM: its threads, the process {@code caisson-zygote}, the descriptors and the
     * memory it shares with that. For applications that unload Caisson's class loader; all others need not call it, since the
     * end of the JVM does the same. The next container starts everything anew, which takes some milliseconds.
     *
     * @throws IllegalStateException if a container still runs
     */
    public static void shutdown() {
        Engine.closeShared();
    }

    private static void caller(List<Finding> findings, HostFacts host) {
        findings.add(fact(
                "this process",
                "uid " + host.uid() + ", " + host.effective().size() + " capabilities"
                        + (host.isPrivileged() ? "" : ": containers get a user namespace")));
        findings.add(fact(
                "subordinate uids",
                host.subordinateUids().isEmpty()
                        ? "none in /etc/subuid: an ordinary user maps a single id"
                        : host.subordinateUids().toString()));
        findings.add(fact(
                "subordinate gids",
                host.subordinateGids().isEmpty()
                        ? "none in /etc/subgid"
                        : host.subordinateGids().toString()));
        findings.add(tool("newuidmap"));
        findings.add(tool("newgidmap"));
    }

    private static Finding tool(String name) {
        boolean there = List.of("/usr/bin", "/bin", "/usr/local/bin").stream()
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, name)));
        return new Finding(
                there ? State.YES : State.NO,
                name,
                there ? "" : "only needed for id ranges without root; package uidmap");
    }

    private static void namespaces(List<Finding> findings, HostFacts host) {
        for (var namespace : Namespace.values()) {
            boolean there = Files.exists(Path.of("/proc/self/ns", namespace.file()), LinkOption.NOFOLLOW_LINKS);
            findings.add(new Finding(
                    there ? State.YES : State.NO,
                    namespace.file() + " namespaces",
                    there ? "" : "this kernel is built without them"));
        }
        if (!host.isPrivileged()) {
            findings.add(userNamespaces());
        }
    }

    /** Tried for real: what forbids them differs between distributions. */
    private static Finding userNamespaces() {
        try {
            boolean works = Container.bare()
                    .newUser()
                    .stdout(Stdio.discard())
                    .run("/bin/true")
                    .isSuccess();
            return new Finding(works ? State.YES : State.UNKNOWN, "user namespaces without root", "");
        } catch (IOException refused) {
            return new Finding(State.NO, "user namespaces without root", FailureText.userNamespaceKnob());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return new Finding(State.UNKNOWN, "user namespaces without root", "interrupted");
        }
    }

    private static void cgroups(List<Finding> findings) throws IOException {
        var mounts = CgroupMounts.ofThisProcess();
        findings.add(fact("cgroup layout", mounts.layout()));
        mounts.unified().ifPresent(path -> {
            findings.add(fact("cgroup v2 controllers", mounts.unifiedControllers() + " at " + HostPath.shown(path)));
        });
        mounts.unifiedHierarchy().ifPresent(hierarchy -> findings.add(delegation(mounts, hierarchy)));
        if (!mounts.legacy().isEmpty()) {
            findings.add(
                    fact("cgroup v1 controllers", new TreeSet<>(mounts.legacy().keySet()).toString()));
        }
    }

    private static Finding delegation(CgroupMounts mounts, Hierarchy hierarchy) {
        try {
            return new Finding(
                    State.YES,
                    "cgroup v2 writable here",
                    "below " + HostPath.shown(Placement.parent(mounts, hierarchy, Optional.empty())));
        } catch (CgroupException refused) {
            return new Finding(State.NO, "cgroup v2 writable here", String.valueOf(refused.getMessage()));
        }
    }

    private static void knobs(List<Finding> findings) {
        for (String knob : List.of(
                "user/max_user_namespaces",
                "kernel/unprivileged_userns_clone",
                "kernel/apparmor_restrict_unprivileged_userns",
                "kernel/yama/ptrace_scope",
                "vm/overcommit_memory",
                "vm/swappiness")) {
            ProcFile.line("/proc/sys/" + knob).ifPresent(value -> findings.add(fact(knob.replace('/', '.'), value)));
        }
    }

    private static State state(Kernel.Answer answer) {
        return switch (answer) {
            case YES -> State.YES;
            case NO -> State.NO;
            case COULD_NOT_TELL -> State.UNKNOWN;
        };
    }

    private static String detail(Feature feature) {
        return "for " + feature.usedFor() + "; since Linux " + feature.since()
                + (feature.fallback().equals("none") ? "" : "; else " + feature.fallback());
    }

    private static Finding fact(String subject, String detail) {
        return new Finding(State.FACT, subject, detail);
    }

    /** {@return the report, one finding a line} */
    @Override
    public String toString() {
        var out = new StringBuilder();
        for (var finding : findings) {
            String mark = switch (finding.state()) {
                case YES -> "yes";
                case NO -> "NO";
                case UNKNOWN -> "?";
                case FACT -> "";
            };
            out.append(String.format("%-4s %-52s %s%n", mark, finding.subject(), finding.detail()));
        }
        return out.toString();
    }
}

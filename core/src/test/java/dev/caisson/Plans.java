// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.linux.ByteUnit.MB;

import dev.caisson.launch.HostFacts;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Planner;
import dev.caisson.linux.Feature;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.Step;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Reply;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.spec.Capabilities;
import dev.caisson.spec.Capability;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Join;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.Securebit;
import dev.caisson.spec.Stdio;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;

/** Plans for hosts that exist nowhere, so many different ones that every kind of step is in one of them. */
final class Plans {
    static final HostFacts ROOT = host(0, EnumSet.allOf(Capability.class), EnumSet.allOf(Feature.class));
    static final HostFacts ORDINARY_USER = host(1000, Set.of(), EnumSet.allOf(Feature.class));
    static final HostFacts OLDER_KERNEL =
            host(0, EnumSet.allOf(Capability.class), EnumSet.complementOf(EnumSet.of(Feature.OVERLAY_LOWERDIR_APPEND)));

    private Plans() {}

    private static HostFacts host(int id, Set<Capability> capabilities, Set<Feature> features) {
        return new HostFacts(
                id,
                id,
                HostFacts.ALL_IDS,
                capabilities,
                List.of(),
                List.of(),
                40,
                16L << 30,
                OptionalLong.of(1024),
                features::contains);
    }

    static LaunchPlan plan(HostFacts host, ContainerBuilder container) throws IOException {
        return new Planner(host).plan(container.spec, List.of("sh", "-c", "true"), List.of());
    }

    private static ContainerBuilder overHost() {
        return Samples.overHost();
    }

    /** {@return plans by what is special about them} */
    static Map<String, LaunchPlan> various() throws IOException {
        var plans = new LinkedHashMap<String, LaunchPlan>();
        plans.put("nothing", plan(ROOT, Container.bare()));
        plans.put("the host's root", plan(ROOT, overHost()));
        plans.put("a sandbox", plan(ROOT, Container.sandbox().lower(Path.of("/"))));
        plans.put("layers", plan(ROOT, Container.builder().lower(Path.of("/usr"), Path.of("/etc"))));
        plans.put("layers, older", plan(OLDER_KERNEL, Container.builder().lower(Path.of("/usr"), Path.of("/etc"))));
        plans.put(
                "a directory",
                plan(ROOT, Container.builder().rootfs(Path.of("/usr")).readOnly()));
        plans.put("a user", plan(ORDINARY_USER, overHost()));
        plans.put("a user's init", plan(ORDINARY_USER, overHost().init().newNetwork()));
        plans.put(
                "mapped ids",
                plan(ROOT, overHost().newUser(IdMap.range(0, 300_000, 1000)).user(5, 6)));
        plans.put("a user by name", plan(ROOT, overHost().newUser().user("bob").groups("staff")));
        plans.put("an init", plan(ROOT, overHost().init()));
        plans.put(
                "a supervisor",
                plan(
                        ROOT,
                        overHost()
                                .newUser()
                                .seccomp(Seccomp.otherwise(Action.allow())
                                        .supervise(Syscall.UNAME, _ -> Reply.proceed()))));
        plans.put(
                "clocks",
                plan(
                        ROOT,
                        overHost()
                                .bootTimeOffset(Duration.ofDays(1))
                                .hostname("a")
                                .domainName("b")));
        plans.put("mounts", plan(ROOT, mounts()));
        plans.put("a process", plan(ROOT, process()));
        plans.put("capabilities", plan(ROOT, privileges()));
        for (var namespace : Namespace.values()) {
            var join = new Join.OfPath(namespace, Path.of("/proc/1/ns/" + namespace.file()));
            plans.put("join " + namespace, plan(ROOT, Container.bare().join(join)));
        }
        plans.put(
                "join a user namespace and make others",
                plan(
                        ORDINARY_USER,
                        Container.bare()
                                .join(new Join.OfPath(Namespace.USER, Path.of("/proc/1/ns/user")))
                                .newPid()
                                .newNetwork()));
        return plans;
    }

    private static ContainerBuilder mounts() {
        return overHost()
                .newNetwork()
                .newIpc()
                .bind(Path.of("/usr"), "/mnt/a", Mount.Option.READ_ONLY, Mount.Option.NO_SUID)
                .tmpfs("/mnt/b", 1, MB)
                .file("/etc/resolv.conf", "nameserver 127.0.0.1\n")
                .mask("/proc/kcore")
                .readOnlyPath("/proc/sys");
    }

    private static ContainerBuilder process() {
        return overHost()
                .environment("A", "b")
                .workingDirectory("/usr")
                .argv0("x")
                .user(3, 4)
                .groups("7")
                .nice(1)
                .oomScoreAdj(5)
                .rlimit(Rlimit.of(Rlimit.Resource.CORE, 0))
                .descriptor(4, Stdio.bytes(new byte[] {1}));
    }

    private static ContainerBuilder privileges() {
        return overHost()
                .user(3, 4)
                .capabilities(Capabilities.docker())
                .securebits(Securebit.values())
                .allowNewPrivileges()
                .seccomp(new byte[] {6, 0, 0, 0, 0, 0, (byte) 0xff, 0x7f});
    }

    /** {@return all arguments of a plan's calls, those inside of structs too} */
    static List<Arg> arguments(LaunchPlan plan) {
        var all = new ArrayList<Arg>();
        for (var step : plan.program().steps()) {
            for (var arg : arguments(step)) {
                collect(arg, all);
            }
        }
        return all;
    }

    private static List<Arg> arguments(Step step) {
        return switch (step.operation()) {
            case Step.Invoke i -> i.call().args();
            case Step.Execute e -> e.call().args();
            case Step.Branch b -> List.of(b.left(), b.right());
            case Step.Load l -> List.of(l.address());
            case Step.Store s -> List.of(s.address(), s.value());
            case Step.Add a -> List.of(a.left(), a.right());
            case Step.Fail f -> List.of(f.errno());
            case Step.Enter e -> List.of(e.address());
        };
    }

    private static void collect(Arg arg, List<Arg> all) {
        all.add(arg);
        if (arg instanceof Arg.Struct struct) {
            struct.pointers().values().forEach(inner -> collect(inner, all));
        }
    }

    /** {@return the slots of what a launch of the plan would bind} */
    static Stream<Arg.Slot> slots(LaunchPlan plan) {
        return arguments(plan).stream()
                .filter(Arg.Slot.class::isInstance)
                .map(Arg.Slot.class::cast)
                .distinct();
    }
}

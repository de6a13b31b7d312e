// SPDX-License-Identifier: Apache-2.0
package dev.caisson.supervise;

import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.ImmutableContainerSpec;
import dev.caisson.launch.ImmutableNamespaceSpec;
import dev.caisson.launch.ImmutablePrivilegeSpec;
import dev.caisson.launch.ImmutableProcessSpec;
import dev.caisson.launch.InsideSpec;
import dev.caisson.launch.PrivilegeSpec;
import dev.caisson.launch.ProcessSpec;
import dev.caisson.launch.UserSpec;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.FilterProgram;
import dev.caisson.spec.Capabilities;
import dev.caisson.spec.Capability;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.Securebit;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/** What a detached container is like inside, as lines of its record: a later JVM runs further commands no less confined. */
final class InsideText {
    private static final String NONE = "-";

    private InsideText() {}

    static void put(Lines lines, InsideSpec inside) {
        var spec = inside.spec();
        flag(lines, "bare", spec.bare());
        flag(lines, "terminals", inside.hasTerminals());
        inside.namespaces().forEach(namespace -> lines.with("namespace", namespace.name()));
        inside.idMap().ifPresent(map -> {
            map.uids().forEach(range -> lines.with("uids", range.toString()));
            map.gids().forEach(range -> lines.with("gids", range.toString()));
        });
        spec.namespaces().hostnameInside().ifPresent(name -> lines.with("hostname", name));
        put(lines, spec.process());
        put(lines, spec.privileges());
    }

    private static void put(Lines lines, ProcessSpec process) {
        process.environment().forEach((name, value) -> lines.with("environment", name + "=" + value));
        process.workingDirectory().ifPresent(directory -> lines.with("directory", directory));
        process.user().ifPresent(user -> lines.with("user", user.toString()));
        process.groups().forEach(group -> lines.with("group", group));
        lines.with("umask", Integer.toString(process.umask()));
        process.nice().ifPresent(nice -> lines.with("nice", Integer.toString(nice)));
        process.oomScoreAdj().ifPresent(score -> lines.with("oom-score-adj", Integer.toString(score)));
        process.rlimits()
                .forEach(limit ->
                        lines.with("rlimit", limit.resource() + " " + text(limit.soft()) + " " + text(limit.hard())));
    }

    private static void put(Lines lines, PrivilegeSpec privileges) {
        flag(lines, "no-new-privileges", privileges.noNewPrivileges());
        flag(lines, "standard-seccomp", privileges.standardSeccomp());
        privileges.securebits().forEach(bit -> lines.with("securebit", bit.name()));
        privileges
                .seccompFilters()
                .forEach(filter ->
                        lines.with("filter", HexFormat.of().formatHex(filter.bytes()) + " " + names(filter.flags())));
        privileges
                .capabilities()
                .ifPresent(capabilities -> lines.with("bounding", names(capabilities.bounding()))
                        .with("effective", names(capabilities.effective()))
                        .with("permitted", names(capabilities.permitted()))
                        .with("inheritable", names(capabilities.inheritable()))
                        .with("ambient", names(capabilities.ambient())));
    }

    private static void flag(Lines lines, String name, boolean value) {
        lines.with(name, Boolean.toString(value));
    }

    private static String text(OptionalLong number) {
        return number.isPresent() ? Long.toString(number.getAsLong()) : NONE;
    }

    private static String names(Set<? extends Enum<?>> all) {
        return all.stream().map(Enum::name).collect(Collectors.joining(" "));
    }

    /**
     * {@return what lines say; empty if they do not say it}
     *
     * @throws IllegalArgumentException if a value is not one
     */
    static Optional<InsideSpec> of(Lines lines) {
        if (lines.find("bare").isEmpty()) {
            return Optional.empty();
        }
        var namespaces = EnumSet.noneOf(Namespace.class);
        lines.all("namespace").forEach(name -> namespaces.add(Namespace.valueOf(name)));
        var uids = ranges(lines.all("uids"));
        Optional<IdMap> map =
                uids.isEmpty() ? Optional.empty() : Optional.of(new IdMap(uids, ranges(lines.all("gids"))));
        ContainerSpec spec = ImmutableContainerSpec.builder()
                .bare(is(lines, "bare"))
                .namespaces(ImmutableNamespaceSpec.builder()
                        .hostname(lines.find("hostname"))
                        .build())
                .process(process(lines))
                .privileges(privileges(lines))
                .build();
        return Optional.of(new InsideSpec(spec, namespaces, map, is(lines, "terminals")));
    }

    private static boolean is(Lines lines, String name) {
        return lines.find(name).map(Boolean::parseBoolean).orElse(false);
    }

    private static List<IdMap.Range> ranges(List<String> lines) {
        return lines.stream()
                .map(line -> line.split(" "))
                .map(f -> new IdMap.Range(Long.parseLong(f[0]), Long.parseLong(f[1]), Long.parseLong(f[2])))
                .toList();
    }

    private static ProcessSpec process(Lines lines) {
        var environment = new LinkedHashMap<String, String>();
        for (String variable : lines.all("environment")) {
            int end = variable.indexOf('=');
            environment.put(variable.substring(0, end), variable.substring(end + 1));
        }
        return ImmutableProcessSpec.builder()
                .environment(environment)
                .workingDirectory(lines.find("directory"))
                .user(lines.find("user").map(UserSpec::parse))
                .groups(lines.all("group"))
                .umask((int) lines.number("umask"))
                .nice(number(lines, "nice"))
                .oomScoreAdj(number(lines, "oom-score-adj"))
                .rlimits(lines.all("rlimit").stream().map(InsideText::rlimit).toList())
                .build();
    }

    private static OptionalInt number(Lines lines, String name) {
        return lines.find(name).isPresent() ? OptionalInt.of((int) lines.number(name)) : OptionalInt.empty();
    }

    private static Rlimit rlimit(String line) {
        String[] fields = line.split(" ");
        return new Rlimit(Rlimit.Resource.valueOf(fields[0]), limit(fields[1]), limit(fields[2]));
    }

    private static OptionalLong limit(String text) {
        return text.equals(NONE) ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(text));
    }

    private static PrivilegeSpec privileges(Lines lines) {
        var builder = ImmutablePrivilegeSpec.builder()
                .noNewPrivileges(is(lines, "no-new-privileges"))
                .standardSeccomp(is(lines, "standard-seccomp"))
                .addAllSecurebits(
                        lines.all("securebit").stream().map(Securebit::valueOf).toList())
                .seccompFilters(
                        lines.all("filter").stream().map(InsideText::filter).toList());
        if (lines.find("bounding").isPresent()) {
            builder.capabilities(new Capabilities(
                    capabilities(lines, "bounding"),
                    capabilities(lines, "effective"),
                    capabilities(lines, "permitted"),
                    capabilities(lines, "inheritable"),
                    capabilities(lines, "ambient")));
        }
        return builder.build();
    }

    private static FilterProgram filter(String line) {
        int end = line.indexOf(' ');
        return new FilterProgram(
                HexFormat.of().parseHex(line.substring(0, end)), values(line.substring(end + 1), Filter.Flag::valueOf));
    }

    private static Set<Capability> capabilities(Lines lines, String name) {
        return values(lines.find(name).orElse(""), Capability::valueOf);
    }

    private static <E> Set<E> values(String names, Function<String, E> of) {
        return names.isEmpty()
                ? Set.of()
                : List.of(names.split(" ")).stream().map(of).collect(Collectors.toSet());
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.hierarchy;

import dev.caisson.cgroups.file.ControlFile;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.sys.FileSystemType;
import dev.caisson.linux.sys.ProcLines;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Where this machine's cgroups are, and in which this process is: a unified hierarchy, version 1 hierarchies, or both
 * (hybrid). Immutable.
 *
 * @param hierarchies each once, though it may be mounted at several places
 * @param own the cgroups of this process by controller, that of version 2 under the empty name, as {@code /proc/self/cgroup}
 *     has them
 */
public record CgroupMounts(List<Hierarchy> hierarchies, Map<String, String> own) {
    private static final String UNIFIED = "";
    private static final AtomicReference<@Nullable CgroupMounts> KNOWN = new AtomicReference<>();

    public CgroupMounts {
        hierarchies = List.copyOf(hierarchies);
        own = Map.copyOf(own);
    }

    /**
     * {@return what this process saw when it first asked} Finding out costs as much as making a cgroup, and mounts do not move
     * under a running system. That there is nothing, or that it could not be read, is not remembered.
     */
    public static CgroupMounts known() throws IOException {
        var known = KNOWN.get();
        if (known == null) {
            known = ofThisProcess();
            if (!known.hierarchies.isEmpty()) {
                KNOWN.set(known);
            }
        }
        return known;
    }

    /** Reads what this process sees. */
    public static CgroupMounts ofThisProcess() throws IOException {
        var listed = parse(ProcLines.of(Path.of("/proc/self/mountinfo")), ProcLines.of(Path.of("/proc/self/cgroup")));
        var seen = new ArrayList<Hierarchy>();
        for (var hierarchy : listed.hierarchies) {
            // A mount that another one covers is still listed; the magic number is that of the one on top.
            if (isOnTop(hierarchy)) {
                seen.add(hierarchy.unified() ? withControllers(hierarchy) : hierarchy);
            }
        }
        return new CgroupMounts(distinct(seen), listed.own);
    }

    private static boolean isOnTop(Hierarchy hierarchy) {
        try {
            var type = FileSystemType.of(HostPath.of(hierarchy.mountPoint()));
            var expected = hierarchy.unified() ? FileSystemType.CGROUP2 : FileSystemType.CGROUP;
            return type.magic() == expected.magic();
        } catch (LinuxException covered) {
            return false;
        }
    }

    private static Hierarchy withControllers(Hierarchy h) throws IOException {
        var controllers = ControlFile.words(h.mountPoint().resolve("cgroup.controllers"));
        return new Hierarchy(true, Set.copyOf(controllers), h.mountPoint(), h.root(), h.readOnly());
    }

    /**
     * {@return what the lines of {@code /proc/PID/mountinfo} and {@code /proc/PID/cgroup} say} The controllers of version 2
     * are not in there, and covered mounts and several of one hierarchy still are.
     */
    public static CgroupMounts parse(List<String> mountinfo, List<String> cgroup) {
        var hierarchies = new ArrayList<Hierarchy>();
        for (String line : mountinfo) {
            int dash = line.indexOf(" - ");
            if (dash < 0) {
                continue;
            }
            String[] before = line.substring(0, dash).split(" ");
            String[] after = line.substring(dash + 3).split(" ");
            if (before.length < 6 || after.length < 3) {
                continue;
            }
            Path point = HostPath.path(unescape(before[4]));
            boolean readOnly = List.of(before[5].split(",")).contains("ro")
                    || List.of(after[2].split(",")).contains("ro");
            if (after[0].equals("cgroup2")) {
                hierarchies.add(new Hierarchy(true, Set.of(), point, unescape(before[3]), readOnly));
            } else if (after[0].equals("cgroup")) {
                var controllers = new TreeSet<>(List.of(after[2].split(",")));
                controllers.removeIf(CgroupMounts::isOption);
                hierarchies.add(new Hierarchy(false, controllers, point, unescape(before[3]), readOnly));
            }
        }
        return new CgroupMounts(hierarchies, own(cgroup));
    }

    private static boolean isOption(String word) {
        return word.equals("rw")
                || word.equals("ro")
                || word.equals("xattr")
                || word.equals("noprefix")
                || word.equals("clone_children")
                || word.equals("cpuset_v2_mode")
                || word.equals("favordynmods")
                || word.startsWith("release_agent=");
    }

    private static Map<String, String> own(List<String> lines) {
        var own = new HashMap<String, String>();
        for (String line : lines) {
            String[] parts = line.split(":", 3);
            if (parts.length == 3) {
                for (String controller : parts[1].split(",")) {
                    own.put(controller, parts[2]);
                }
            }
        }
        return own;
    }

    /** Blanks and backslashes of paths are octal numbers in mountinfo. */
    private static String unescape(String text) {
        return text.replace("\\040", " ")
                .replace("\\011", "\t")
                .replace("\\012", "\n")
                .replace("\\134", "\\");
    }

    /** Of several mounts of one hierarchy the one that can be written and shows most. */
    private static List<Hierarchy> distinct(List<Hierarchy> all) {
        var best = new TreeMap<String, Hierarchy>();
        var order = Comparator.comparing(Hierarchy::readOnly)
                .thenComparing(h -> h.root().startsWith("/.."))
                .thenComparingInt(h -> h.root().length());
        for (var hierarchy : all) {
            best.merge(hierarchy.name(), hierarchy, (a, b) -> order.compare(a, b) <= 0 ? a : b);
        }
        return List.copyOf(best.values());
    }

    /**
     * {@return whether cgroup2 is mounted with {@code nsdelegate}} Then the root of a cgroup namespace cannot be changed from
     * inside, not even by who owns its files. It holds for all mounts of version 2 alike.
     */
    public static boolean namespacesAreBoundaries() throws IOException {
        return ProcLines.of(Path.of("/proc/self/mountinfo")).stream()
                .anyMatch(line -> line.matches(".* - cgroup2 .*\\bnsdelegate\\b.*"));
    }

    /** {@return these without version 1, as if it were not mounted} */
    public CgroupMounts unifiedOnly() {
        return new CgroupMounts(hierarchies.stream().filter(Hierarchy::unified).toList(), own);
    }

    /** {@return these without version 2, as if it were not mounted} */
    public CgroupMounts legacyOnly() {
        return new CgroupMounts(hierarchies.stream().filter(h -> !h.unified()).toList(), own);
    }

    /** {@return the hierarchy of version 2} */
    public Optional<Hierarchy> unifiedHierarchy() {
        for (var hierarchy : hierarchies) {
            if (hierarchy.unified()) {
                return Optional.of(hierarchy);
            }
        }
        return Optional.empty();
    }

    /** {@return the hierarchy of version 1 that has a controller} */
    public Optional<Hierarchy> legacyHierarchy(String controller) {
        for (var hierarchy : hierarchies) {
            if (!hierarchy.unified() && hierarchy.controllers().contains(controller)) {
                return Optional.of(hierarchy);
            }
        }
        return Optional.empty();
    }

    /** {@return where cgroup2 is mounted} */
    public Optional<Path> unified() {
        return unifiedHierarchy().map(Hierarchy::mountPoint);
    }

    /** {@return what version 2 has; the others may be in version 1} */
    public Set<String> unifiedControllers() {
        return unifiedHierarchy().map(Hierarchy::controllers).orElse(Set.of());
    }

    /** {@return version 1 controllers, {@code name=systemd} included, and where each is mounted} */
    public Map<String, Path> legacy() {
        var all = new TreeMap<String, Path>();
        for (var hierarchy : hierarchies) {
            if (!hierarchy.unified()) {
                hierarchy.controllers().forEach(c -> all.put(c, hierarchy.mountPoint()));
            }
        }
        return Collections.unmodifiableMap(all);
    }

    /** {@return the directory of this process's own cgroup in a hierarchy, if it can be seen} */
    public Optional<Path> own(Hierarchy hierarchy) {
        if (hierarchy.unified()) {
            return own.containsKey(UNIFIED) ? hierarchy.directory(own.getOrDefault(UNIFIED, "/")) : Optional.empty();
        }
        for (var controller : hierarchy.controllers()) {
            if (own.containsKey(controller)) {
                return hierarchy.directory(own.getOrDefault(controller, "/"));
            }
        }
        return Optional.empty();
    }

    /** {@return "unified", "legacy", "hybrid" or "none"} */
    public String layout() {
        boolean v1 = false;
        for (var hierarchy : hierarchies) {
            for (String controller : hierarchy.controllers()) {
                v1 |= !hierarchy.unified() && !controller.startsWith("name=");
            }
        }
        if (unified().isEmpty()) {
            return v1 ? "legacy" : "none";
        }
        return v1 ? "hybrid" : "unified";
    }

    /** {@return whether a controller is in version 2} */
    public boolean isUnified(String controller) {
        return unifiedControllers().contains(controller);
    }
}

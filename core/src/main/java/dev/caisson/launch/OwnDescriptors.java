// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.spec.Mount;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Paths of the host that go through a descriptor of the JVM, such as those of an overlay that has no place: the child, which
 * has none of the JVM's descriptors, gets these, under the same numbers.
 */
public final class OwnDescriptors {
    private static final Pattern PATH = Pattern.compile("/(?:proc/self|dev)/fd/(\\d{1,6})(?:/.*)?", Pattern.DOTALL);

    private OwnDescriptors() {}

    /** {@return the slots they are bound to} */
    public static Map<Arg.Slot, Integer> of(ContainerSpec spec) {
        var all = new HashMap<Arg.Slot, Integer>();
        numbers(spec).forEach(number -> all.put(Slots.own(number), number));
        return all;
    }

    private static Set<Integer> numbers(ContainerSpec spec) {
        var numbers = new TreeSet<Integer>();
        for (var path : paths(spec)) {
            var matcher = PATH.matcher(path.toString());
            if (matcher.matches()) {
                numbers.add(Integer.parseInt(matcher.group(1)));
            }
        }
        return numbers;
    }

    private static List<Path> paths(ContainerSpec spec) {
        var paths = new ArrayList<Path>();
        switch (spec.root().source()) {
            case Root.Layers layers -> {
                paths.addAll(layers.overlay().lower());
                layers.overlay().upper().ifPresent(upper -> {
                    paths.add(upper.directory());
                    paths.add(upper.work());
                });
            }
            case Root.Directory directory -> paths.add(directory.path());
            case Root.Merged merged -> merged.directory().ifPresent(paths::add);
            case Root.OfHost _ -> {}
        }
        for (var mount : spec.root().mounts()) {
            if (mount instanceof Mount.Bind bind) {
                paths.add(bind.source());
            }
        }
        return paths;
    }

    /** Adds the steps that give them their numbers. */
    static void plan(ContainerSpec spec, SyscallProgram.Builder program) {
        for (int number : numbers(spec)) {
            program.purpose("have the JVM's descriptor " + number + ", which a path goes through");
            program.call(Syscall.DUP3, Slots.own(number), Arg.of(number), OpenFlags.of(OpenFlags.O_CLOEXEC));
        }
    }
}

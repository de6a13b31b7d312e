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
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/**
 * Paths of the host that go through a descriptor of the JVM, such as those of an overlay that has no place: the child, which
 * has none of the JVM's descriptors, gets these, under the same numbers.
 */
public final class OwnDescriptors {
    private static final List<String> DIRECTORIES = List.of("/proc/self/fd/", "/dev/fd/");
    private static final int MOST_DIGITS = 6;

    private OwnDescriptors() {}

    /** {@return the slots they are bound to} */
    public static Map<Arg.Slot, Integer> of(ContainerSpec spec) {
        var all = new HashMap<Arg.Slot, Integer>();
        for (int number : numbers(spec)) {
            all.put(Slots.own(number), number);
        }
        return all;
    }

    private static Set<Integer> numbers(ContainerSpec spec) {
        var numbers = new TreeSet<Integer>();
        for (var path : paths(spec)) {
            for (var directory : DIRECTORIES) {
                if (path.toString().startsWith(directory)) {
                    number(path.toString().substring(directory.length())).ifPresent(numbers::add);
                }
            }
        }
        return numbers;
    }

    /** {@return the number that a path begins with} */
    private static OptionalInt number(String path) {
        int end = path.indexOf('/');
        String first = end < 0 ? path : path.substring(0, end);
        boolean digits = first.chars().allMatch(c -> c >= '0' && c <= '9');
        return digits && !first.isEmpty() && first.length() <= MOST_DIGITS
                ? OptionalInt.of(Integer.parseInt(first))
                : OptionalInt.empty();
    }

    private static List<Path> paths(ContainerSpec spec) {
        var paths = new ArrayList<Path>();
        var root = spec.root().source();
        if (root instanceof Root.Layers(var overlay)) {
            paths.addAll(overlay.lower());
            if (overlay.upper().isPresent()) {
                paths.add(overlay.upper().get().directory());
                paths.add(overlay.upper().get().work());
            }
        } else if (root instanceof Root.Directory directory) {
            paths.add(directory.path());
        } else if (root instanceof Root.Merged merged && merged.directory().isPresent()) {
            paths.add(merged.directory().get());
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

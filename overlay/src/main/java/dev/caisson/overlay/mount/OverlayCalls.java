// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.mount;

import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Call;
import dev.caisson.linux.flag.MountFlags;
import dev.caisson.linux.mount.MountApi;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.stream.Collectors;

/**
 * An overlay as the kernel is told of it, by whoever mounts it: this process, or a container's child. There are two ways to say
 * it: to a context of fsopen(2), one directory a call, since Linux 6.8; to mount(2), in one string that must fit a page.
 *
 * @param lower the topmost first
 * @param writable empty: nothing can be written
 * @param options as mount(8) writes them
 */
public record OverlayCalls(List<Place> lower, Optional<Writable> writable, List<String> options) {
    private static final Arg LOWER = Arg.text("lowerdir+");
    private static final Arg UPPER = Arg.text("upperdir");
    private static final Arg WORK = Arg.text("workdir");

    public OverlayCalls {
        lower = List.copyOf(lower);
        options = List.copyOf(options);
    }

    /** {@return the options of an overlay that nothing is written to} */
    public static List<String> readOnly(List<String> options) {
        return options.stream().filter(option -> !option.equals("volatile")).toList();
    }

    /** How a directory is named to the kernel. */
    public sealed interface Place {}

    /** By a path, of less than 256 bytes for a context. */
    public record ByName(String path) implements Place {}

    /** By a descriptor, which only contexts take, since Linux 6.13. */
    public record Opened(Arg descriptor) implements Place {}

    /** The directories that are written to. */
    public record Writable(Place upper, Place work) {}

    /** {@return the calls that configure a context of {@code overlay}} */
    public List<Call> configuration(Arg context) {
        var calls = new ArrayList<Call>(lower.size() + options.size() + 2);
        for (var layer : lower) {
            calls.add(set(context, LOWER, layer));
        }
        if (writable.isPresent()) {
            calls.add(set(context, UPPER, writable.get().upper()));
            calls.add(set(context, WORK, writable.get().work()));
        }
        for (String option : options) {
            int equals = option.indexOf('=');
            calls.add(
                    equals < 0
                            ? MountApi.setFlag(context, option)
                            : MountApi.set(
                                    context,
                                    Arg.text(option.substring(0, equals)),
                                    Arg.text(option.substring(equals + 1))));
        }
        return calls;
    }

    private static Call set(Arg context, Arg key, Place place) {
        return place instanceof Opened(Arg descriptor)
                ? MountApi.setDescriptor(context, key, descriptor)
                : MountApi.set(context, key, Arg.text(name(place)));
    }

    /**
     * {@return the call of mount(2)}
     *
     * @param flags MS_*
     * @throws IllegalStateException if a directory is named by a descriptor
     */
    public Call mount(String place, long flags) {
        return Call.of(
                Syscall.MOUNT,
                Arg.text("overlay"),
                Arg.text(place),
                Arg.text("overlay"),
                MountFlags.of(flags),
                Arg.text(optionString()));
    }

    /** {@return everything in the form of mount(2)} */
    String optionString() {
        var all = new StringJoiner(",");
        all.add("lowerdir=" + lower.stream().map(OverlayCalls::name).collect(Collectors.joining(":")));
        if (writable.isPresent()) {
            all.add("upperdir=" + name(writable.get().upper()));
            all.add("workdir=" + name(writable.get().work()));
        }
        options.forEach(all::add);
        return all.toString();
    }

    private static String name(Place place) {
        if (place instanceof ByName(String path)) {
            return path;
        }
        throw new IllegalStateException("mount(2) takes no descriptor, and got " + place);
    }
}

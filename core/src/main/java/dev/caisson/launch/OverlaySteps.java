// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static dev.caisson.linux.call.Arg.octal;
import static dev.caisson.linux.call.Arg.of;
import static dev.caisson.linux.call.Arg.text;

import dev.caisson.linux.Feature;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.linux.flag.MountFlags;
import dev.caisson.overlay.Overlay;
import dev.caisson.overlay.mount.LayerStack;
import dev.caisson.overlay.mount.OverlayCalls;
import dev.caisson.overlay.mount.OverlayCalls.ByName;
import dev.caisson.overlay.mount.OverlayCalls.Opened;
import dev.caisson.overlay.mount.OverlayCalls.Place;
import dev.caisson.overlay.mount.OverlayCalls.Writable;
import dev.caisson.overlay.mount.TopDirectory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Merges layers. The workshop is where names are made short: fsconfig(2) takes strings of less than 256 bytes, mount(2) one
 * string of less than a page, so what is longer gets a symbolic link there, and the child stands in it.
 */
final class OverlaySteps {
    /** fsconfig(2) copies no more of a string, its NUL included. */
    private static final int LONGEST_STRING = 256;

    /** What marks are in attributes of, in a user namespace. */
    private static final String USERXATTR = "userxattr";

    /** mkdir(2) does not take them. */
    private static final int SET_IDS = 06000;

    private final PlanInput input;
    private final SyscallProgram.Builder program;
    private final MountCalls mounts;
    private final Arg workshop;
    private final Map<Path, Arg> opened;
    private int names;

    /** @param opened directories that are named by descriptors, which only kernels that take them all get */
    OverlaySteps(
            PlanInput input, SyscallProgram.Builder program, MountCalls mounts, Arg workshop, Map<Path, Arg> opened) {
        this.input = input;
        this.program = program;
        this.mounts = mounts;
        this.workshop = workshop;
        this.opened = opened;
    }

    /** {@return the mount of a container's layers} */
    Arg root(Overlay overlay) {
        int layers = overlay.lower().size();
        program.purpose(
                        "merge " + layers + (layers == 1 ? " layer" : " layers") + " and a writable one",
                        input.inUserNamespace() ? "overlayfs in a user namespace (Linux 5.11)" : "CAP_SYS_ADMIN")
                .task(LaunchTask.MERGE_LAYERS);
        program.call(Syscall.FCHDIR, workshop);
        Place upper = new ByName("upper");
        Place work = new ByName("work");
        if (overlay.upper().isPresent()) {
            upper = written(overlay.upper().get().directory());
            work = written(overlay.upper().get().work());
        } else {
            top("upper");
            program.call(Syscall.MKDIRAT, workshop, text("work"), octal(0700));
        }
        var lower = new ArrayList<Place>();
        for (int i = 0; i < layers; i++) {
            lower.add(
                    input.idmappedLayers()
                            ? new ByName(attach(Slots.layer(i)))
                            : lower(overlay.lower().get(i)));
        }
        var options = overlay.options().mountOptions();
        if (input.stack() instanceof LayerStack.Split(int first)) {
            var rest = lower.subList(first, layers);
            var merged = lowest(List.copyOf(rest), options);
            rest.clear();
            lower.add(merged);
        }
        return mounted(lower, Optional.of(new Writable(upper, work)), options, "root");
    }

    /** {@return the lowest layers as one, of which one lies inside another layer; overlayfs merges two at least} */
    private Place lowest(List<Place> layers, List<String> options) {
        var all = new ArrayList<>(layers);
        if (all.size() == 1) {
            all.add(new ByName(MaskSteps.EMPTY));
        }
        var merged = mounted(all, Optional.empty(), OverlayCalls.readOnly(options), "lowest layers");
        return new ByName(attach(merged));
    }

    /** The root of the overlay is this directory, which is therefore what the topmost layer's is. */
    private void top(String name) {
        var top = input.top().orElse(new TopDirectory(0755, 0, 0));
        program.call(Syscall.MKDIRAT, workshop, text(name), octal(top.mode() & ~SET_IDS));
        if (top.uid() != 0 || top.gid() != 0) {
            program.call(Syscall.FCHOWNAT, workshop, text(name), of(top.uid()), of(top.gid()), of(0));
        }
        if ((top.mode() & SET_IDS) != 0) {
            program.call(Syscall.FCHMODAT, workshop, text(name), octal(top.mode()));
        }
        for (var directory : input.topDirectories()) {
            program.call(
                    Syscall.MKDIRAT, workshop, text(name + "/" + directory.name()), octal(directory.mode() & ~SET_IDS));
        }
    }

    /** {@return the mount of some directories under a writable one in the workshop, in which the child stands} */
    Arg mount(List<Path> lower, String upper, String work, List<String> options, String name) {
        return mounted(
                lower.stream().map(this::lower).toList(),
                Optional.of(new Writable(new ByName(upper), new ByName(work))),
                options,
                name);
    }

    private Place lower(Path layer) {
        var descriptor = opened.get(layer);
        if (descriptor != null) {
            return new Opened(descriptor);
        }
        boolean append = input.host().has().test(Feature.OVERLAY_LOWERDIR_APPEND);
        return new ByName(append ? shortened(HostPath.of(layer)) : link(HostPath.of(layer)));
    }

    private Arg mounted(List<Place> lower, Optional<Writable> writable, List<String> options, String name) {
        var all = new ArrayList<>(options);
        if (input.inUserNamespace() && !all.contains(USERXATTR)) {
            all.add(USERXATTR);
        }
        var overlay = new OverlayCalls(lower, writable, all);
        return input.host().has().test(Feature.OVERLAY_LOWERDIR_APPEND)
                ? byContext(overlay, name)
                : byOptionString(overlay, name);
    }

    private Arg byContext(OverlayCalls overlay, String name) {
        var context = mounts.open("overlay");
        overlay.configuration(context).forEach(program::call);
        return mounts.mount(context, name, MountCalls.NODEV);
    }

    /** Before Linux 6.8. */
    private Arg byOptionString(OverlayCalls overlay, String name) {
        String place = "merged" + names++;
        program.call(Syscall.MKDIRAT, workshop, text(place), octal(0755));
        program.call(overlay.mount(place, MountFlags.MS_NODEV));
        return mounts.cloneOf(name, workshop, place, false);
    }

    /** A path of the upper, in which overlayfs takes a backslash for an escape. */
    private Place written(Path path) {
        var descriptor = opened.get(path);
        if (descriptor != null) {
            return new Opened(descriptor);
        }
        return new ByName(
                input.host().has().test(Feature.OVERLAY_LOWERDIR_APPEND)
                        ? shortened(Overlay.escape(path), HostPath.of(path))
                        : link(HostPath.of(path)));
    }

    private String shortened(String path) {
        return shortened(path, path);
    }

    private String shortened(String written, String path) {
        return FileNames.encode(written).length < LONGEST_STRING ? written : link(path);
    }

    private String link(String path) {
        String name = Integer.toString(names++);
        program.call(Syscall.SYMLINKAT, text(path), workshop, text(name));
        return name;
    }

    private String attach(Arg mount) {
        String name = Integer.toString(names++);
        program.call(Syscall.MKDIRAT, workshop, text(name), octal(0700));
        mounts.attach(mount, workshop, name);
        return name;
    }
}

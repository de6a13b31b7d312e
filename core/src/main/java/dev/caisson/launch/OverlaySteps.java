// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static dev.caisson.linux.call.Arg.named;
import static dev.caisson.linux.call.Arg.octal;
import static dev.caisson.linux.call.Arg.of;
import static dev.caisson.linux.call.Arg.text;

import dev.caisson.linux.Feature;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.overlay.Overlay;
import dev.caisson.overlay.mount.Parameter;
import dev.caisson.overlay.mount.TopDirectory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;

/**
 * Merges layers. The workshop is where names are made short: fsconfig(2) takes strings of less than 256 bytes, mount(2) one
 * string of less than a page, so what is longer gets a symbolic link there, and the child stands in it.
 */
final class OverlaySteps {
    /** fsconfig(2) copies no more of a string, its NUL included. */
    private static final int LONGEST_STRING = 256;

    /** mkdir(2) does not take them. */
    private static final int SET_IDS = 06000;

    private final PlanInput input;
    private final SyscallProgram.Builder program;
    private final MountCalls mounts;
    private final Arg workshop;
    private int names;

    OverlaySteps(PlanInput input, SyscallProgram.Builder program, MountCalls mounts, Arg workshop) {
        this.input = input;
        this.program = program;
        this.mounts = mounts;
        this.workshop = workshop;
    }

    /** {@return the name of the parameter that holds a layer's mount with other ids} */
    static String idmapped(int layer) {
        return "layer " + layer;
    }

    /** {@return the mount of a container's layers} */
    Arg root(Overlay overlay) {
        int layers = overlay.lower().size();
        program.purpose(
                        "merge " + layers + (layers == 1 ? " layer" : " layers") + " and a writable one",
                        input.inUserNamespace() ? "overlayfs in a user namespace (Linux 5.11)" : "CAP_SYS_ADMIN")
                .task(LaunchTask.MERGE_LAYERS);
        program.call(Syscall.FCHDIR, workshop);
        String upper = "upper";
        String work = "work";
        if (overlay.upper().isPresent()) {
            upper = written(overlay.upper().get().directory());
            work = written(overlay.upper().get().work());
        } else {
            top(upper);
            program.call(Syscall.MKDIRAT, workshop, text(work), octal(0700));
        }
        if (input.spec().root().idmappedLayers()) {
            var lower = new ArrayList<String>();
            for (int i = 0; i < layers; i++) {
                lower.add(attach(Arg.parameter(idmapped(i))));
            }
            return mounted(lower, upper, work, overlay.options().parameters(), "root");
        }
        return mount(overlay.lower(), upper, work, overlay.options().parameters(), "root");
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
    }

    /** {@return the mount of some directories under a writable one in the workshop, in which the child stands} */
    Arg mount(List<Path> lower, String upper, String work, List<Parameter> options, String name) {
        boolean append = input.host().has().test(Feature.OVERLAY_LOWERDIR_APPEND);
        return mounted(
                lower.stream()
                        .map(layer -> append ? shortened(layer.toString()) : link(layer.toString()))
                        .toList(),
                upper,
                work,
                options,
                name);
    }

    private Arg mounted(List<String> lower, String upper, String work, List<Parameter> options, String name) {
        var all = new ArrayList<>(options);
        var userxattr = new Parameter.Flag("userxattr");
        if (input.inUserNamespace() && !all.contains(userxattr)) {
            all.add(userxattr);
        }
        return input.host().has().test(Feature.OVERLAY_LOWERDIR_APPEND)
                ? byContext(lower, upper, work, all, name)
                : byOptionString(lower, upper, work, all, name);
    }

    private Arg byContext(List<String> lower, String upper, String work, List<Parameter> options, String name) {
        var overlay = mounts.open("overlay");
        for (String layer : lower) {
            mounts.set(overlay, "lowerdir+", layer);
        }
        mounts.set(overlay, "upperdir", upper);
        mounts.set(overlay, "workdir", work);
        for (var option : options) {
            switch (option) {
                case Parameter.Flag flag -> mounts.setFlag(overlay, flag.key());
                case Parameter.Text value -> mounts.set(overlay, value.key(), value.value());
            }
        }
        return mounts.mount(overlay, name, MountCalls.NODEV);
    }

    /** Before Linux 6.8. */
    private Arg byOptionString(List<String> lower, String upper, String work, List<Parameter> options, String name) {
        String place = "merged" + names++;
        var all = new StringJoiner(",");
        all.add("lowerdir=" + String.join(":", lower)).add("upperdir=" + upper).add("workdir=" + work);
        options.forEach(option -> all.add(option.text()));
        program.call(Syscall.MKDIRAT, workshop, text(place), octal(0755));
        program.call(
                Syscall.MOUNT,
                text("overlay"),
                text(place),
                text("overlay"),
                named(MountCalls.MS_NODEV, "MS_NODEV"),
                text(all.toString()));
        return mounts.cloneOf(name, workshop, place, false);
    }

    /** A path of the upper, in which overlayfs takes a backslash for an escape. */
    private String written(Path path) {
        return input.host().has().test(Feature.OVERLAY_LOWERDIR_APPEND)
                ? shortened(Overlay.escape(path), path.toString())
                : link(path.toString());
    }

    private String shortened(String path) {
        return shortened(path, path);
    }

    private String shortened(String written, String path) {
        return written.getBytes(StandardCharsets.UTF_8).length < LONGEST_STRING ? written : link(path);
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

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.child.Consultation;
import dev.caisson.linux.child.Outcome;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.flag.ResolveFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileStatus;
import dev.caisson.spec.Mount;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * Targets of mounts that lie behind links to what is not there, such as an /etc/resolv.conf that leads to
 * ../run/systemd/resolve/stub-resolv.conf. The child makes what is missing by names it was given, but cannot put names
 * together. So a launch that failed there is made again to show the root to the JVM, which follows the links name by name
 * and says where the target really is; that is then the mount's target. Wherever the links lead by then, the child still
 * resolves it inside the root.
 */
public final class Places {
    private static final int MOST_LINKS = 40;
    private static final byte[] AGREED = new byte[Long.BYTES];

    private Places() {}

    /** That a mount's target is elsewhere. It ends the launch that asked. */
    public static final class LeadsElsewhere extends IOException {
        private static final long serialVersionUID = 1L;

        private final String target;
        private final String place;

        private LeadsElsewhere(String target, String place) {
            super("the target " + target + " leads to " + place);
            this.target = target;
            this.place = place;
        }

        /** {@return a description in which the mount has its real target} */
        public ContainerSpec applied(ContainerSpec spec) {
            return spec.root(r -> r.withMounts(moved(r.mounts())).withPresetMounts(moved(r.presetMounts())));
        }

        private List<Mount> moved(List<Mount> mounts) {
            return mounts.stream()
                    .map(mount -> mount.target().equals(target) ? mount.at(place) : mount)
                    .toList();
        }
    }

    /** {@return whether a launch failed because the way to a mount's target leads to nothing} */
    public static boolean isFor(Outcome.ChildFailure failure) {
        return failure.errno().equals(Errno.ENOENT) && LaunchTask.PLACE_MOUNT.isOf(failure.step());
    }

    /** {@return a description whose launch asks, and then fails} */
    public static ContainerSpec asking(ContainerSpec spec) {
        return spec.root(r -> r.withAsks(RootSpec.Question.PLACES));
    }

    static String gate(Mount mount) {
        return "place of " + mount.target();
    }

    static Consultation consultation(Mount mount) {
        return root -> {
            String place = follow(root, mount.target());
            if (!place.equals(mount.target())) {
                throw new LeadsElsewhere(mount.target(), place);
            }
            return AGREED;
        };
    }

    /** Each name is looked at by itself below the root, which what came before it leads to without a link. */
    private static String follow(Fd root, String target) throws IOException {
        var names = new ArrayList<String>();
        var rest = new ArrayDeque<String>();
        prepend(rest, target);
        for (int links = 0; !rest.isEmpty(); ) {
            String name = rest.pop();
            if (name.equals("..")) {
                if (!names.isEmpty()) {
                    names.removeLast();
                }
                continue;
            }
            names.add(name);
            byte[] link = link(root, String.join("/", names));
            if (link.length > 0) {
                if (++links > MOST_LINKS) {
                    throw new IOException("the target " + target + " leads through more than " + MOST_LINKS + " links");
                }
                names.removeLast();
                if (link[0] == '/') {
                    names.clear();
                }
                prepend(rest, FileNames.decode(link));
            }
        }
        return "/" + String.join("/", names);
    }

    private static void prepend(ArrayDeque<String> rest, String path) {
        var names = List.of(path.split("/"));
        names.reversed().stream()
                .filter(Predicate.not(name -> name.isEmpty() || name.equals(".")))
                .forEach(rest::push);
    }

    /** {@return where a link leads; nothing if it is not a link or not there} */
    private static byte[] link(Fd root, String path) throws LinuxException {
        try (var found = At.open(
                root,
                FileNames.encode(path),
                OpenFlags.O_PATH | OpenFlags.O_NOFOLLOW,
                0,
                ResolveFlags.RESOLVE_IN_ROOT | ResolveFlags.RESOLVE_NO_MAGICLINKS)) {
            return FileStatus.of(found).type() == FileStatus.Type.SYMBOLIC_LINK ? At.readLink(found) : new byte[0];
        } catch (LinuxException absent) {
            if (absent.errno().equals(Errno.ENOENT)) {
                return new byte[0];
            }
            throw absent;
        }
    }
}

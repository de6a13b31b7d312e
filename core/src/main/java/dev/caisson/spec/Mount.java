// SPDX-License-Identifier: Apache-2.0
package dev.caisson.spec;

import dev.caisson.linux.call.HostPath;
import dev.caisson.path.InsidePath;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Something mounted inside a container. The target is an absolute path inside; it is resolved within the root by the
 * kernel (openat2(2) with RESOLVE_IN_ROOT), so that symbolic links of a hostile image lead nowhere else, and made if it
 * is missing.
 */
public sealed interface Mount {
    /** {@return the absolute path inside, without needless slashes and dots; never the root itself} */
    String target();

    /** {@return this mount on another target} */
    Mount at(String newTarget);

    /**
     * A file or directory of the host.
     *
     * @param source on the host; taken as it is when the container starts
     */
    record Bind(Path source, String target, Set<Option> options) implements Mount {
        public Bind {
            target = InsidePath.checkTarget("bind", target);
            if (HostPath.of(source).indexOf('\0') >= 0) {
                throw new IllegalArgumentException("bind: the source path holds NUL");
            }
            source = source.toAbsolutePath();
            options = copy(options);
            if (propagations(options) > 1) {
                throw new IllegalArgumentException(
                        "bind " + target + ": of PRIVATE, SLAVE, SHARED one at most: " + options);
            }
        }

        @Override
        public Bind at(String newTarget) {
            return new Bind(source, newTarget, options);
        }
    }

    /**
     * A file system in memory; pages count against the memory limit of whoever writes them.
     *
     * @param size the most bytes it takes; empty: half of the host's memory, as tmpfs(5) has it
     * @param mode permissions of its top directory, such as 01777
     */
    record Tmpfs(String target, OptionalLong size, int mode, Set<Option> options) implements Mount {
        public Tmpfs {
            target = InsidePath.checkTarget("tmpfs", target);
            if (size.isPresent() && size.getAsLong() <= 0) {
                throw new IllegalArgumentException(
                        "tmpfs " + target + ": size " + size.getAsLong() + " is not a positive number of bytes");
            }
            if (mode < 0 || mode > 07777) {
                throw new IllegalArgumentException(
                        "tmpfs " + target + ": mode 0" + Integer.toOctalString(mode) + " is not within 0 to 07777");
            }
            options = copy(options);
        }

        @Override
        public Tmpfs at(String newTarget) {
            return new Tmpfs(newTarget, size, mode, options);
        }
    }

    /**
     * A regular file whose content comes from this program, read-only inside. It is never on any disk.
     *
     * @param mode its permissions, such as 0644
     */
    record Content(String target, byte[] bytes, int mode) implements Mount {
        public Content {
            target = InsidePath.checkTarget("file", target);
            if (mode < 0 || mode > 0777) {
                throw new IllegalArgumentException(
                        "file " + target + ": mode 0" + Integer.toOctalString(mode) + " is not within 0 to 0777");
            }
            bytes = bytes.clone();
        }

        @Override
        public Content at(String newTarget) {
            return new Content(newTarget, bytes, mode);
        }

        @Override
        public byte[] bytes() {
            return bytes.clone();
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Content c
                    && target.equals(c.target)
                    && mode == c.mode
                    && Arrays.equals(bytes, c.bytes);
        }

        @Override
        public int hashCode() {
            return 31 * target.hashCode() + Arrays.hashCode(bytes);
        }

        @Override
        public String toString() {
            return "Content[target=" + target + ", " + bytes.length + " bytes]";
        }
    }

    /** What may be asked of a mount (mount_setattr(2)). Those of a recursive bind hold for everything below it. */
    enum Option {
        READ_ONLY,
        NO_SUID,
        /**
         * Device nodes on it may be opened. Without this only a bind whose source is a device node itself opens one: a
         * container that may make nodes (CAP_MKNOD) could reach any disk of the host through a directory it writes to. Unless it
         * is read-only, too, root inside changes the modes and owners of the host's nodes in it.
         */
        DEVICES,
        NO_EXEC,
        /** The source is a directory, made on start if it is missing, and given to the container's root then. */
        MAKE_SOURCE,
        /** The source alone, not what is mounted below it. */
        NOT_RECURSIVE,
        /** Mount events pass in neither direction; the default. */
        PRIVATE,
        /** Mount events of the host appear inside, but not the reverse. */
        SLAVE,
        /** Mount events pass in both directions. Weakens isolation. */
        SHARED
    }

    /** {@return a file or directory of the host, shown at a path inside, with all that is mounted below it unless told otherwise} */
    static Bind bind(Path source, String target, Option... options) {
        return new Bind(source, target, Set.of(options));
    }

    /** {@return a tmpfs without set-user-id files and devices, open to all users} */
    static Tmpfs tmpfs(String target) {
        return new Tmpfs(target, OptionalLong.empty(), 01777, Set.of(Option.NO_SUID));
    }

    private static Set<Option> copy(Set<Option> options) {
        var copy = EnumSet.noneOf(Option.class);
        copy.addAll(options);
        return Collections.unmodifiableSet(copy);
    }

    private static long propagations(Set<Option> options) {
        return options.stream()
                .filter(o -> o == Option.PRIVATE || o == Option.SLAVE || o == Option.SHARED)
                .count();
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.overlay.Overlay;
import dev.caisson.spec.UserSpec;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Users and groups as the container's own /etc/passwd and /etc/group know them. The files belong to an image that may be
 * hostile: they are opened below their layer by openat2, read up to a size, and only numbers are taken from them.
 */
final class Accounts {
    private static final int O_NONBLOCK_NOCTTY = 0x800 | 0x100;
    private static final int RESOLVE_IN_ROOT_NO_MAGICLINKS = 0x12;
    private static final int LARGEST_FILE = 4 << 20;

    private final List<Path> layers;

    Accounts(Root root) {
        this.layers = switch (root) {
            case Root.OfHost _ -> List.of(Path.of("/"));
            case Root.Directory directory -> List.of(directory.path());
            case Root.Layers layers -> layers(layers.overlay());
            case Root.Merged merged -> layers(merged.overlay());
        };
    }

    private static List<Path> layers(Overlay overlay) {
        var all = new ArrayList<Path>();
        overlay.upper().ifPresent(upper -> all.add(upper.directory()));
        all.addAll(overlay.lower());
        return all;
    }

    /** @throws IOException if a name is not in the container's files, or these cannot be read */
    Principal resolve(Optional<UserSpec> user, List<String> groups) throws IOException {
        if (user.isEmpty() && groups.isEmpty()) {
            return Principal.root();
        }
        var spec = user.orElse(UserSpec.of(0, 0));
        var byNumber = UserSpec.number(spec.user());
        var entry = find("etc/passwd", 0, spec.user(), byNumber, 2);
        if (entry.isEmpty() && byNumber.isEmpty()) {
            throw new IOException("user: \"" + spec.user() + "\" is not in the container's /etc/passwd (of " + layers
                    + "); name one that is, or a number");
        }
        int uid = byNumber.orElseGet(() -> number(entry.orElseThrow(), 2));
        int gid =
                spec.group().isEmpty() ? entry.map(fields -> number(fields, 3)).orElse(0) : group(spec.group());
        var supplementary = new LinkedHashSet<Integer>();
        for (String group : groups) {
            supplementary.add(group(group));
        }
        String name = entry.map(fields -> fields[0]).orElse(spec.user());
        if (spec.group().isEmpty() && entry.isPresent()) {
            for (String[] fields : lines("etc/group")) {
                if (fields.length > 3 && List.of(fields[3].split(",")).contains(name)) {
                    supplementary.add(number(fields, 2));
                }
            }
        }
        String home = entry.filter(fields -> fields.length > 5 && fields[5].startsWith("/"))
                .map(fields -> fields[5])
                .orElse(uid == 0 ? "/root" : "/");
        return new Principal(uid, gid, List.copyOf(supplementary), name, home);
    }

    private int group(String group) throws IOException {
        var number = UserSpec.number(group);
        if (number.isPresent()) {
            return number.getAsInt();
        }
        return find("etc/group", 0, group, OptionalInt.empty(), 2)
                .map(fields -> number(fields, 2))
                .orElseThrow(() -> new IOException("group: \"" + group + "\" is not in the container's /etc/group (of "
                        + layers + "); name one that is, or a number"));
    }

    private Optional<String[]> find(String file, int nameField, String name, OptionalInt number, int numberField)
            throws IOException {
        for (String[] fields : lines(file)) {
            if (fields.length <= numberField) {
                continue;
            }
            boolean matches = number.isPresent()
                    ? fields[numberField].equals(Integer.toString(number.getAsInt()))
                    : fields[nameField].equals(name);
            if (matches && UserSpec.number(fields[numberField]).isPresent()) {
                return Optional.of(fields);
            }
        }
        return Optional.empty();
    }

    private static int number(String[] fields, int index) {
        return fields.length > index ? UserSpec.number(fields[index]).orElse(0) : 0;
    }

    private List<String[]> lines(String file) throws IOException {
        for (Path layer : layers) {
            var text = read(layer, file);
            if (text.isPresent()) {
                return text.get().lines().map(line -> line.split(":", -1)).toList();
            }
        }
        return List.of();
    }

    private static Optional<String> read(Path layer, String file) throws IOException {
        try (Fd directory = Files.open(layer.toString(), Files.O_PATH, 0);
                Fd opened = Files.openat2(directory, file, O_NONBLOCK_NOCTTY, 0, RESOLVE_IN_ROOT_NO_MAGICLINKS);
                var arena = Arena.ofConfined()) {
            var buffer = arena.allocate(LARGEST_FILE);
            long size = 0;
            int read;
            while (size < LARGEST_FILE && (read = Files.read(opened, buffer.asSlice(size))) > 0) {
                size += read;
            }
            return Optional.of(
                    new String(buffer.asSlice(0, size).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8));
        } catch (LinuxException absent) {
            if (absent.errno().equals(Errno.ENOENT) || absent.errno().equals(Errno.ENXIO)) {
                return Optional.empty(); // The next layer may have it; ENXIO is a whiteout.
            }
            throw absent;
        }
    }
}

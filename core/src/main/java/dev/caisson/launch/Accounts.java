// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.flag.ResolveFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileStatus;
import dev.caisson.linux.sys.FileSystemType;
import dev.caisson.linux.sys.Files;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Users and groups as the container's own /etc/passwd and /etc/group know them: those of its finished root, with all that is
 * mounted on it. They belong to an image that may be hostile: they are found below the root by openat2, opened only if they
 * are regular files of a file system that is not the kernel's, read up to a size, and only numbers and a directory's name
 * are taken from them.
 */
final class Accounts {
    private static final int RESOLVE_IN_ROOT_NO_MAGICLINKS =
            ResolveFlags.RESOLVE_IN_ROOT | ResolveFlags.RESOLVE_NO_MAGICLINKS;
    private static final int USUAL_FILE = 16 << 10;
    private static final int LARGEST_FILE = 4 << 20;

    private final Fd root;

    /** @param root an O_PATH descriptor, which stays the caller's */
    Accounts(Fd root) {
        this.root = root;
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
            throw new IOException("user: \"" + spec.user() + "\" is not in the container's /etc/passwd;"
                    + " name one that is, or a number");
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
        return new Principal(uid, gid, List.copyOf(supplementary), home);
    }

    private int group(String group) throws IOException {
        var number = UserSpec.number(group);
        if (number.isPresent()) {
            return number.getAsInt();
        }
        return find("etc/group", 0, group, OptionalInt.empty(), 2)
                .map(fields -> number(fields, 2))
                .orElseThrow(() -> new IOException("group: \"" + group + "\" is not in the container's /etc/group;"
                        + " name one that is, or a number"));
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
        return read(file).lines().map(line -> line.split(":", -1)).toList();
    }

    private String read(String file) throws IOException {
        try (var found = Files.openat2(root, file, OpenFlags.O_PATH, 0, RESOLVE_IN_ROOT_NO_MAGICLINKS)) {
            var status = FileStatus.of(found);
            if (status.type() != FileStatus.Type.FILE
                    || FileSystemType.of(found).isOfTheKernel()) {
                throw new IOException("user: the container's /" + file + " is not a file of data");
            }
            try (var opened = Files.open(At.self(found), OpenFlags.O_RDONLY, 0);
                    var arena = Arena.ofConfined()) {
                var buffer = arena.allocate(Math.clamp(status.size() + 1, USUAL_FILE, LARGEST_FILE));
                long size = 0;
                int read;
                while (size < buffer.byteSize() && (read = Files.read(opened, buffer.asSlice(size))) > 0) {
                    size += read;
                }
                return FileNames.decode(buffer.asSlice(0, size).toArray(ValueLayout.JAVA_BYTE));
            }
        } catch (LinuxException absent) {
            if (absent.errno().equals(Errno.ENOENT)) {
                return "";
            }
            throw absent;
        }
    }
}

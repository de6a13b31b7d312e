// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.SortedMap;
import java.util.TreeMap;

/** All that a reader can tell of a file; of a directory without its time, which changes with what it holds. */
record TreeState(String type, int mode, int uid, int gid, String content, String attributes) {
    /** {@return every path of a tree, relative, in order} */
    static SortedMap<String, TreeState> of(Path root) throws IOException {
        var all = new TreeMap<String, TreeState>();
        try (var walk = Files.walk(root)) {
            for (Path path : walk.toList()) {
                if (!path.equals(root)) {
                    all.put(root.relativize(path).toString(), read(path));
                }
            }
        }
        return all;
    }

    private static TreeState read(Path path) throws IOException {
        var unix = Files.readAttributes(path, "unix:*", LinkOption.NOFOLLOW_LINKS);
        String type = "FILE";
        String content;
        if (Files.isSymbolicLink(path)) {
            type = "SYMBOLIC_LINK";
            content = Files.readSymbolicLink(path) + " " + unix.get("lastModifiedTime");
        } else if (Files.isDirectory(path)) {
            type = "DIRECTORY";
            content = "";
        } else {
            content = Files.readString(path) + " " + unix.get("lastModifiedTime");
        }
        var attributes = new StringBuilder();
        if (!Files.isSymbolicLink(path)) {
            var view = Files.getFileAttributeView(path, UserDefinedFileAttributeView.class);
            for (String name : view.list().stream().sorted().toList()) {
                if (!name.startsWith("overlay.")) {
                    attributes.append(name).append(view.size(name)).append(' ');
                }
            }
        }
        return new TreeState(
                type,
                (int) unix.get("mode"),
                (int) unix.get("uid"),
                (int) unix.get("gid"),
                content,
                attributes.toString());
    }
}

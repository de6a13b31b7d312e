// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import java.io.IOException;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.UserPrincipal;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/** Attributes by name, such as {@code "posix:permissions"} or {@code "unix:ino"}, as {@code Files.getAttribute} takes them. */
final class AttributeNames {
    static final Set<String> VIEWS = Set.of("basic", "owner", "posix", "unix", "user");

    private static final Map<String, Function<TreeAttributes, Object>> BASIC = Map.of(
            "lastModifiedTime", TreeAttributes::lastModifiedTime,
            "lastAccessTime", TreeAttributes::lastAccessTime,
            "creationTime", TreeAttributes::creationTime,
            "size", TreeAttributes::size,
            "isRegularFile", TreeAttributes::isRegularFile,
            "isDirectory", TreeAttributes::isDirectory,
            "isSymbolicLink", TreeAttributes::isSymbolicLink,
            "isOther", TreeAttributes::isOther,
            "fileKey", TreeAttributes::fileKey);
    private static final Map<String, Function<TreeAttributes, Object>> OWNER = Map.of("owner", TreeAttributes::owner);
    private static final Map<String, Function<TreeAttributes, Object>> POSIX = with(
            BASIC,
            Map.of(
                    "owner", TreeAttributes::owner,
                    "group", TreeAttributes::group,
                    "permissions", TreeAttributes::permissions));
    private static final Map<String, Function<TreeAttributes, Object>> UNIX = with(
            POSIX,
            Map.of(
                    "mode",
                    a -> a.status().mode(),
                    "ino",
                    a -> a.status().inode(),
                    "dev",
                    a -> a.status().device(),
                    "rdev",
                    a -> a.status().rdev(),
                    "nlink",
                    a -> (int) a.status().links(),
                    "uid",
                    a -> (int) a.status().uid(),
                    "gid",
                    a -> (int) a.status().gid(),
                    "ctime",
                    a -> TreeAttributes.time(a.status().changed()),
                    "mountId",
                    a -> a.status().mountId()));

    private AttributeNames() {}

    private static Map<String, Function<TreeAttributes, Object>> with(
            Map<String, Function<TreeAttributes, Object>> some, Map<String, Function<TreeAttributes, Object>> more) {
        var all = new LinkedHashMap<>(some);
        all.putAll(more);
        return all;
    }

    private static Map<String, Function<TreeAttributes, Object>> view(String name) {
        return switch (name) {
            case "basic" -> BASIC;
            case "owner" -> OWNER;
            case "posix" -> POSIX;
            case "unix" -> UNIX;
            default ->
                throw new UnsupportedOperationException("view '" + name + "' is none of " + new TreeSet<>(VIEWS));
        };
    }

    private static String[] split(String attribute) {
        int colon = attribute.indexOf(':');
        return colon < 0
                ? new String[] {"basic", attribute}
                : new String[] {attribute.substring(0, colon), attribute.substring(colon + 1)};
    }

    static boolean areOfUserView(String attributes) {
        return attributes.startsWith("user:");
    }

    static Map<String, Object> read(String attributes, TreeAttributes file) {
        String[] parts = split(attributes);
        var view = view(parts[0]);
        var result = new LinkedHashMap<String, Object>();
        for (String name : parts[1].split(",", -1)) {
            if (name.equals("*")) {
                view.forEach((key, value) -> result.put(key, value.apply(file)));
                continue;
            }
            var attribute = view.get(name);
            if (attribute == null) {
                throw new IllegalArgumentException("'" + name + "' is not an attribute of the view '" + parts[0] + "': "
                        + new TreeSet<>(view.keySet()));
            }
            result.put(name, attribute.apply(file));
        }
        return result;
    }

    /** What can be set by name. */
    interface Target extends BasicFileAttributeView {
        void setMode(int mode) throws IOException;

        void setOwner(long uid, long gid) throws IOException;
    }

    @SuppressWarnings("unchecked")
    static void set(String attribute, Object value, Target file) throws IOException {
        String[] parts = split(attribute);
        if (!view(parts[0]).containsKey(parts[1])) {
            throw new IllegalArgumentException("'" + parts[1] + "' is not an attribute of the view '" + parts[0] + "'");
        }
        switch (parts[1]) {
            case "lastModifiedTime" -> file.setTimes((FileTime) value, null, null);
            case "lastAccessTime" -> file.setTimes(null, (FileTime) value, null);
            case "permissions" -> file.setMode(TreeAttributes.mode((Set<PosixFilePermission>) value));
            case "mode" -> file.setMode((Integer) value & 07777);
            case "owner" -> file.setOwner(TreePrincipals.number(((UserPrincipal) value).getName()), -1);
            case "group" -> file.setOwner(-1, TreePrincipals.number(((GroupPrincipal) value).getName()));
            case "uid" -> file.setOwner(Integer.toUnsignedLong((Integer) value), -1);
            case "gid" -> file.setOwner(-1, Integer.toUnsignedLong((Integer) value));
            default -> throw new UnsupportedOperationException("'" + attribute + "' cannot be set");
        }
    }
}

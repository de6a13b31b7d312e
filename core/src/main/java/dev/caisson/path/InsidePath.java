// SPDX-License-Identifier: Apache-2.0
package dev.caisson.path;

import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.FileNames;
import java.util.ArrayList;

/** The rule for paths inside a container: strings, absolute, never resolved on the host. */
public final class InsidePath {
    /** The top of the container's own tree. */
    public static final String ROOT = "/";

    private static final int PATH_MAX = 4096;

    private InsidePath() {}

    /**
     * {@return the path in its one form, without needless slashes and dots, if it is absolute and stays inside}
     *
     * @throws IllegalArgumentException naming the option otherwise
     */
    public static String check(String option, String path) {
        if (!path.startsWith(ROOT)) {
            throw new IllegalArgumentException(
                    option + ": the path inside the container must be absolute, not \"" + path + "\"");
        }
        if (path.indexOf('\0') >= 0) {
            throw new IllegalArgumentException(option + ": the path inside the container holds NUL");
        }
        if (FileNames.strayIn(path).isPresent()) {
            throw new IllegalArgumentException(
                    option + ": the path inside the container holds half a character: " + Arg.quote(path));
        }
        if (path.length() >= PATH_MAX) {
            throw new IllegalArgumentException(option + ": the path inside the container has " + path.length()
                    + " characters; the kernel takes fewer than " + PATH_MAX);
        }
        var names = new ArrayList<String>();
        for (String name : path.split("/")) {
            if (name.equals("..")) {
                throw new IllegalArgumentException(
                        option + ": the path inside the container must not hold \"..\": \"" + path + "\"");
            }
            if (!name.isEmpty() && !name.equals(".")) {
                names.add(name);
            }
        }
        return ROOT + String.join("/", names);
    }

    /** {@return the path as {@link #check} does, if something can be mounted on it} */
    public static String checkTarget(String option, String path) {
        return checkBelowRoot(option, path, "for another root call lower(...) or rootfs(...)");
    }

    /**
     * {@return the path as {@link #check} does, if it is not the root itself}
     *
     * @param instead what to do about the root
     */
    public static String checkBelowRoot(String option, String path, String instead) {
        String checked = check(option, path);
        if (checked.equals(ROOT)) {
            throw new IllegalArgumentException(
                    option + ": \"" + path + "\" is the container's root itself; " + instead);
        }
        return checked;
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.spec;

/** The rule for paths inside a container: strings, absolute, never resolved on the host. */
public final class InsidePath {
    private static final int PATH_MAX = 4096;

    private InsidePath() {}

    /**
     * {@return the path, if it is absolute and stays inside}
     *
     * @throws IllegalArgumentException naming the option otherwise
     */
    public static String check(String option, String path) {
        if (!path.startsWith("/")) {
            throw new IllegalArgumentException(
                    option + ": the path inside the container must be absolute, not \"" + path + "\"");
        }
        if (path.indexOf('\0') >= 0) {
            throw new IllegalArgumentException(option + ": the path inside the container holds NUL");
        }
        if (path.length() >= PATH_MAX) {
            throw new IllegalArgumentException(option + ": the path inside the container has " + path.length()
                    + " characters; the kernel takes fewer than " + PATH_MAX);
        }
        for (String name : path.split("/")) {
            if (name.equals("..")) {
                throw new IllegalArgumentException(
                        option + ": the path inside the container must not hold \"..\": \"" + path + "\"");
            }
        }
        return path;
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.profile;

import java.util.Comparator;
import java.util.regex.Pattern;

/** The first two numbers of a kernel's release, as {@code 6.18}. */
public record KernelVersion(int major, int minor) implements Comparable<KernelVersion> {
    private static final Pattern FORM = Pattern.compile("(\\d{1,4})\\.(\\d{1,4})([.+-].*)?");

    /**
     * {@return the version of a release such as {@code 6.18.44-generic}}
     *
     * @throws IllegalArgumentException if it is none
     */
    public static KernelVersion of(String release) {
        var match = FORM.matcher(release);
        if (!match.matches()) {
            throw new IllegalArgumentException("kernel: \"" + release + "\" is no version such as 6.18");
        }
        return new KernelVersion(Integer.parseInt(match.group(1)), Integer.parseInt(match.group(2)));
    }

    /** {@return the version of the running kernel} */
    public static KernelVersion running() {
        return of(System.getProperty("os.version"));
    }

    @Override
    public int compareTo(KernelVersion other) {
        return Comparator.comparingInt(KernelVersion::major)
                .thenComparingInt(KernelVersion::minor)
                .compare(this, other);
    }

    @Override
    public String toString() {
        return major + "." + minor;
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.StringTokenizer;
import org.jspecify.annotations.Nullable;

/**
 * The soft limit of open files with which this JVM was started. HotSpot raises its own to the hard limit (-XX:+MaxFDLimit) and
 * remembers no other; a program that uses select(2), or closes all descriptors one by one, suffers from a large one. What its
 * parent has is what it was started with, unless it is the parent's hard limit that differs.
 *
 * @param soft -1 for none, as the kernel has it
 */
record OpenFilesLimit(long soft, long hard) {
    private static final long UNLIMITED = -1;

    /** {@return what to give to containers; empty: what this process has} */
    static OptionalLong original() {
        var own = of(Path.of("/proc/self/limits"));
        if (own == null || own.soft != own.hard) {
            return own == null ? OptionalLong.empty() : OptionalLong.of(own.soft);
        }
        var process = ProcessHandle.current().parent();
        var parent =
                process.isEmpty() ? null : of(Path.of("/proc/" + process.get().pid() + "/limits"));
        return OptionalLong.of(parent != null && parent.hard == own.hard ? parent.soft : own.soft);
    }

    private static @Nullable OpenFilesLimit of(Path limits) {
        try {
            // "Max open files            1024                 524288               files"
            for (String line : Files.readAllLines(limits)) {
                if (line.startsWith("Max open files")) {
                    var numbers = new StringTokenizer(line.substring("Max open files".length()));
                    return new OpenFilesLimit(number(numbers.nextToken()), number(numbers.nextToken()));
                }
            }
            return null;
        } catch (IOException notShown) {
            return null;
        }
    }

    private static long number(String field) {
        return field.equals("unlimited") ? UNLIMITED : Long.parseLong(field);
    }
}

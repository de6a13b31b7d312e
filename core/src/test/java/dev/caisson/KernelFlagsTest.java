// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.testkit.KernelNames;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * The kernel's flags stand in one place, {@code dev.caisson.linux.flag}, where tests hold them against the headers of both
 * architectures: 0x10000 is O_DIRECTORY on one and O_DIRECT on the other.
 */
class KernelFlagsTest {
    private static final List<String> MODULES = List.of("bindings-linux", "seccomp", "cgroups", "overlay", "core");

    /** Families of names that have their class there. */
    private static final Pattern DECLARED = Pattern.compile("static final (?:int|long|Arg) "
            + "((?:O|AT|RESOLVE|CLONE|MS|MOUNT_ATTR|MOVE_MOUNT|OPEN_TREE|SOCK|MSG|S|F|MFD|EFD|PROT|MAP|STATX|RENAME)_[A-Z0-9_]+) = "
            + "[^;A-Z]*[0-9]");

    /** Bits joined by number: 0x40 | 0x80000, or 1 | O_CLOEXEC. */
    private static final Pattern JOINED = Pattern.compile(
            "\\b(?:0x[0-9a-fA-F_]+|0[0-7]{5,}|1 << [12][0-9]|(?<!<< )[1-9])L? \\| (?:0x|[1-9]|[A-Z]{2,}_)"
                    + "|[A-Z]_[A-Z_]+ \\| (?:0x|0[0-7]{5,}|[1-9])");

    /** A number beside the name that it is printed by. */
    private static final Pattern NAMED =
            Pattern.compile("named\\(\\s*0x[0-9a-fA-F_]+L?[^\"()]*,\\s*\"([A-Z][A-Z0-9_|]+)\"");

    /** Formats of files, of programs and of other things than calls, whose numbers stand nowhere else. */
    private static final Pattern FORMATS = Pattern.compile(".*/(flag|bpf|ebpf|raw)/.*");

    private record Line(Path file, int number, String text) {
        @Override
        public String toString() {
            return file + ":" + number + ": " + text.strip();
        }
    }

    private static List<Line> lines() throws IOException {
        Path top = Path.of("").toAbsolutePath().getParent();
        var all = new ArrayList<Line>();
        for (String module : MODULES) {
            try (var files = Files.walk(top.resolve(module).resolve("src/main/java"))) {
                for (Path file : files.filter(f -> f.toString().endsWith(".java"))
                        .filter(f -> !FORMATS.matcher(f.toString()).matches())
                        .sorted()
                        .toList()) {
                    int number = 0;
                    for (String text : Files.readAllLines(file)) {
                        number++;
                        String stripped = text.strip();
                        if (!stripped.startsWith("*") && !stripped.startsWith("/")) {
                            all.add(new Line(top.relativize(file), number, text));
                        }
                    }
                }
            }
        }
        assertTrue(all.size() > 10_000, all.size() + " lines");
        return all;
    }

    @Test
    void noFlagIsWrittenAsANumberOutsideOfItsFamily() throws Exception {
        var names = KernelNames.ofThisArchitecture();
        var found = new ArrayList<String>();
        for (var line : lines()) {
            var declared = DECLARED.matcher(line.text);
            var named = NAMED.matcher(line.text);
            if (declared.find() && names.value(declared.group(1)).isPresent()
                    || JOINED.matcher(line.text).find()
                    || named.find() && names.sum(named.group(1)).isPresent()) {
                found.add(line.toString());
            }
        }
        assertEquals("", String.join("\n", found));
    }

    @Test
    void whatWasWrittenBeforeWouldBeFound() {
        for (String text : List.of(
                "    private static final int O_PATH_DIRECTORY = Files.O_PATH | 0x10000;",
                "    private static final int O_CLOEXEC = 0x80000;",
                "    private static final long MS_REC_PRIVATE = 0x4000 | 1 << 18;",
                "    private static final int AT_FDCWD = -100;")) {
            assertTrue(DECLARED.matcher(text).find() || JOINED.matcher(text).find(), text);
        }
        assertTrue(NAMED.matcher("Arg.named(0x1000, \"AT_EMPTY_PATH\")").find());
    }
}

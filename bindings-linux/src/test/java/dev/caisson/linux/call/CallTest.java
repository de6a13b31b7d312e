// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.call;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.caisson.linux.Syscall;
import java.nio.charset.StandardCharsets;
import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Calls print as strace(1) 6 prints them. */
class CallTest {
    @Example
    void stringsNumbersAndNames() {
        assertEquals(
                "openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY|O_CLOEXEC, 0600)",
                Call.of(
                                Syscall.OPENAT,
                                Arg.named(-100, "AT_FDCWD"),
                                Arg.text("/etc/passwd"),
                                Arg.named(0x80000, "O_RDONLY|O_CLOEXEC"),
                                Arg.octal(0600))
                        .toString());
    }

    @Example
    void vectorsOfStringsAndEnvironments() {
        assertEquals(
                "execve(\"/bin/sh\", [\"sh\", \"-c\", \"echo \\\"$0\\\"\"], [/* 2 vars */])",
                Call.of(
                                Syscall.EXECVE,
                                Arg.text("/bin/sh"),
                                Arg.argv(List.of("sh", "-c", "echo \"$0\"")),
                                Arg.envp(List.of("SECRET=1", "B=2")))
                        .toString());
    }

    @Example
    void whatIsKnownOnlyLaterHasAName() {
        assertEquals(
                "dup3(<pipe>, <fd>, 0)",
                Call.of(Syscall.DUP3, Arg.slot("pipe"), new Arg.ResultOf(3, "fd"), Arg.of(0))
                        .toString());
        assertEquals(
                "read(0, &buffer, 4)",
                Call.of(Syscall.READ, Arg.of(0), Arg.buffer("buffer", 4), Arg.of(4))
                        .toString());
    }

    @Example
    void structsAndNull() {
        assertEquals(
                "prlimit64(0, RLIMIT_NOFILE, {rlim_cur=1, rlim_max=2}, NULL)",
                Call.of(
                                Syscall.PRLIMIT64,
                                Arg.of(0),
                                Arg.named(7, "RLIMIT_NOFILE"),
                                Arg.words("{rlim_cur=1, rlim_max=2}", 1, 2),
                                Arg.nullPointer())
                        .toString());
    }

    @Example
    void stringsAreEscapedAsStraceDoes() {
        assertEquals("\"a\\\"b\\\\c\\n\\t\\r\\1\\303\\274\"", Arg.quote("a\"b\\c\n\t\r\u0001ü"));
    }

    /** Reads the quoted form back, by the rules of C. */
    @Property(tries = 500)
    void quotingLosesNothing(@ForAll String string) {
        byte[] expected = string.getBytes(StandardCharsets.UTF_8);
        String quoted = Arg.quote(string);
        var bytes = new java.io.ByteArrayOutputStream();
        for (int i = 1; i < quoted.length() - 1; i++) {
            char c = quoted.charAt(i);
            if (c != '\\') {
                bytes.write(c);
                continue;
            }
            char escape = quoted.charAt(++i);
            switch (escape) {
                case 'n' -> bytes.write('\n');
                case 't' -> bytes.write('\t');
                case 'r' -> bytes.write('\r');
                case '"', '\\' -> bytes.write(escape);
                default -> {
                    int end = i;
                    while (end < i + 3 && end < quoted.length() - 1 && "01234567".indexOf(quoted.charAt(end)) >= 0) {
                        end++;
                    }
                    bytes.write(Integer.parseInt(quoted.substring(i, end), 8));
                    i = end - 1;
                }
            }
        }
        assertEquals(new String(expected, StandardCharsets.ISO_8859_1), bytes.toString(StandardCharsets.ISO_8859_1));
    }

    @Example
    void flagsPrintTheirNamesGroupsFirstAndTheRestInHexadecimal() {
        var flags =
                Flags.named("0").with("BOTH", 3).with("ONE", 1).with("TWO", 2).with("HIGH", 1L << 33);
        assertEquals("0", flags.text(0));
        assertEquals("BOTH", flags.text(3));
        assertEquals("TWO|HIGH", flags.text(2 | 1L << 33));
        assertEquals("ONE|0x18", flags.text(25));
        assertEquals(new Arg.Value(2, "TWO"), flags.of(2));
    }

    @Example
    void aCallHasAtMostSixArguments() {
        var zero = Arg.of(0);
        assertThrows(
                IllegalArgumentException.class, () -> Call.of(Syscall.READ, zero, zero, zero, zero, zero, zero, zero));
    }

    @Example
    void aStringForTheKernelHoldsNoNul() {
        assertThrows(IllegalArgumentException.class, () -> Arg.text("a\0b"));
    }

    @Example
    void structsAreEqualByContentAndNobodyCanChangeThem() {
        byte[] data = {1, 2};
        var struct = Arg.bytes(data, "{}");
        data[0] = 9;
        assertEquals(Arg.bytes(new byte[] {1, 2}, "{}"), struct);
        assertNotEquals(Arg.bytes(new byte[] {9, 2}, "{}"), struct);
        assertEquals(Arg.argv(List.of("a")), Arg.argv(List.of("a")));
        assertNotEquals(Arg.argv(List.of("a")), Arg.argv(List.of("b")));
    }
}

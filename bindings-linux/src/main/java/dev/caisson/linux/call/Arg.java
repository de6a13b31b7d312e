// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.call;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * An argument of a system call as data: what the kernel gets (a register value, or memory that one points to) together
 * with how a reader of strace(1) expects to see it.
 */
public sealed interface Arg {
    /** {@return the argument as strace prints it} */
    String text();

    /** A register value known when the call is planned. */
    record Value(long value, String text) implements Arg {}

    /** A register value known only when the program is launched, such as the descriptor of a pipe. */
    record Slot(String name) implements Arg {
        @Override
        public String text() {
            return "<" + name + ">";
        }

        // Written out: slots are keys of each launch, and what a record has of itself is linked at the first.
        @Override
        public boolean equals(Object other) {
            return other instanceof Slot slot && slot.name.equals(name);
        }

        @Override
        public int hashCode() {
            return name.hashCode();
        }
    }

    /** The result of an earlier step of the same program. */
    record ResultOf(int step, String name) implements Arg {
        @Override
        public String text() {
            return "<" + name + ">";
        }
    }

    /** A NUL-terminated string, whose bytes are those of {@link FileNames}. */
    record Text(String string) implements Arg {
        public Text {
            if (string.indexOf('\0') >= 0) {
                throw new IllegalArgumentException("a string for the kernel cannot hold NUL: " + quote(string));
            }
            if (FileNames.strayIn(string).isPresent()) {
                throw new IllegalArgumentException(
                        "a string for the kernel cannot hold half a character: " + quote(string));
            }
        }

        @Override
        public String text() {
            return quote(string);
        }
    }

    /** Writable memory of the program, one buffer for all arguments of equal name. */
    record Buffer(String name, int size) implements Arg {
        @Override
        public String text() {
            return "&" + name;
        }
    }

    /** Bytes the kernel reads, with pointers to other arguments at some of the offsets. */
    record Struct(byte[] data, SortedMap<Integer, Arg> pointers, String text) implements Arg {
        public Struct {
            data = data.clone();
            pointers = new TreeMap<>(pointers);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Struct s
                    && Arrays.equals(data, s.data)
                    && pointers.equals(s.pointers)
                    && text.equals(s.text);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(data);
        }

        @Override
        public String toString() {
            return text;
        }
    }

    static Value of(long value) {
        return new Value(value, Long.toString(value));
    }

    static Value named(long value, String text) {
        return new Value(value, text);
    }

    /** An octal number, as modes are written. */
    static Value octal(long value) {
        return new Value(value, "0" + Long.toOctalString(value));
    }

    static Text text(String string) {
        return new Text(string);
    }

    static Slot slot(String name) {
        return new Slot(name);
    }

    static Buffer buffer(String name, int size) {
        return new Buffer(name, size);
    }

    static Value nullPointer() {
        return new Value(0, "NULL");
    }

    static Struct bytes(byte[] data, String text) {
        return new Struct(data, new TreeMap<>(), text);
    }

    /** A struct of 64-bit words in native order, as many of the kernel's newer ones are. */
    static Struct words(String text, long... words) {
        var data = ByteBuffer.allocate(words.length * Long.BYTES).order(ByteOrder.nativeOrder());
        for (long word : words) {
            data.putLong(word);
        }
        return bytes(data.array(), text);
    }

    /** A struct of 32-bit words in native order. */
    static Struct ints(String text, int... words) {
        var data = ByteBuffer.allocate(words.length * Integer.BYTES).order(ByteOrder.nativeOrder());
        for (int word : words) {
            data.putInt(word);
        }
        return bytes(data.array(), text);
    }

    /** A NULL-terminated vector of strings, printed in full as execve's argv is. */
    static Struct argv(List<String> strings) {
        var texts = new ArrayList<Arg>();
        for (String string : strings) {
            texts.add(new Text(string));
        }
        return vector(texts, "[" + join(texts) + "]");
    }

    /** A NULL-terminated vector of strings whose content is nobody's business: only their number is printed. */
    static Struct envp(List<String> strings) {
        return envp(strings, List.of());
    }

    /** As above, with strings that become known only while the program runs. */
    static Struct envp(List<String> strings, List<Buffer> later) {
        var all = new ArrayList<Arg>();
        for (String string : strings) {
            all.add(new Text(string));
        }
        all.addAll(later);
        return vector(all, "[/* " + all.size() + " vars */]");
    }

    private static Struct vector(List<? extends Arg> strings, String text) {
        var pointers = new TreeMap<Integer, Arg>();
        for (int i = 0; i < strings.size(); i++) {
            pointers.put(i * Long.BYTES, strings.get(i));
        }
        return new Struct(new byte[(strings.size() + 1) * Long.BYTES], pointers, text);
    }

    /** {@return the string in double quotes, escaped as strace does} */
    static String quote(String string) {
        return quote(FileNames.encode(string));
    }

    /** {@return the bytes in double quotes, escaped as strace does} */
    static String quote(byte[] bytes) {
        var out = new StringBuilder("\"");
        for (byte b : bytes) {
            switch (b) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\t' -> out.append("\\t");
                case '\r' -> out.append("\\r");
                default -> {
                    if (b >= ' ' && b < 127) {
                        out.append((char) b);
                    } else {
                        out.append('\\').append(Integer.toOctalString(b & 0xff));
                    }
                }
            }
        }
        return out.append('"').toString();
    }

    /** {@return the texts of several arguments, separated by commas} */
    static String join(List<Arg> args) {
        var texts = new ArrayList<String>(args.size());
        for (var arg : args) {
            texts.add(arg.text());
        }
        return String.join(", ", texts);
    }
}

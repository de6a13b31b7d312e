// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.raw;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.toCollection;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.caisson.linux.raw.uapi.Uapi;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The structs of the bindings against what a C compiler of each architecture said of the same headers. */
class LayoutsTest {
    @ParameterizedTest
    @ValueSource(strings = {"x86_64", "aarch64"})
    void everyStructIsLaidOutAsTheCompilerDoes(String arch) throws Exception {
        for (Expected expected : expected(arch)) {
            Class<?> struct = struct(arch, expected.struct());
            if (expected.field().isEmpty()) {
                GroupLayout layout = (GroupLayout) struct.getMethod("layout").invoke(null);
                assertEquals(expected.size(), layout.byteSize(), expected.toString());
            } else {
                long offset =
                        (long) struct.getMethod(expected.field() + "$offset").invoke(null);
                var layout = (MemoryLayout)
                        struct.getMethod(expected.field() + "$layout").invoke(null);
                assertEquals(expected.offset(), offset, expected.toString());
                assertEquals(expected.size(), layout.byteSize(), expected.toString());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"x86_64", "aarch64"})
    void noStructAndNoFieldIsLeftOut(String arch) throws Exception {
        Set<String> generated = new TreeSet<>();
        for (String name : packages(arch)) {
            for (Class<?> type : classes(name)) {
                if (Stream.of(type.getMethods())
                        .anyMatch(method -> method.getName().equals("layout"))) {
                    generated.add(type.getSimpleName());
                    Stream.of(type.getMethods())
                            .filter(method -> method.getName().endsWith("$offset"))
                            .forEach(method -> generated.add(type.getSimpleName() + "."
                                    + method.getName().replace("$offset", "")));
                }
            }
        }
        assertFalse(generated.isEmpty());
        assertEquals(expected(arch).stream().map(Expected::name).collect(toCollection(TreeSet::new)), generated);
    }

    /** One line of layouts-ARCH.txt: {@code clone_args.pidfd 8 8}, or without a field {@code clone_args 0 88}. */
    private record Expected(String name, long offset, long size) {
        String struct() {
            return name.replaceFirst("\\..*", "");
        }

        String field() {
            return name.contains(".") ? name.replaceFirst(".*\\.", "") : "";
        }
    }

    private static List<Expected> expected(String arch) throws IOException {
        try (var table = LayoutsTest.class.getResourceAsStream("layouts-" + arch + ".txt")) {
            return new String(table.readAllBytes(), UTF_8)
                    .lines()
                    .map(line -> line.split(" "))
                    .map(word -> new Expected(word[0], Long.parseLong(word[1]), Long.parseLong(word[2])))
                    .toList();
        }
    }

    private static List<String> packages(String arch) {
        return List.of("uapi", "libc", arch);
    }

    private static Class<?> struct(String arch, String name) throws ClassNotFoundException {
        for (String candidate : packages(arch)) {
            try {
                return Class.forName(LayoutsTest.class.getPackageName() + "." + candidate + "." + name);
            } catch (ClassNotFoundException e) {
                // It is in one of the other packages, or the last line says that it is in none.
            }
        }
        throw new ClassNotFoundException(name);
    }

    private static List<Class<?>> classes(String name) throws Exception {
        Path folder = Path.of(Uapi.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .toURI())
                .resolve(LayoutsTest.class.getPackageName().replace('.', '/'))
                .resolve(name);
        try (var files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(file -> file.endsWith(".class"))
                    .<Class<?>>map(file -> {
                        try {
                            return Class.forName(
                                    LayoutsTest.class.getPackageName() + "." + name + "." + file.replace(".class", ""));
                        } catch (ClassNotFoundException e) {
                            throw new UncheckedIOException(new IOException(e));
                        }
                    })
                    .toList();
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** A native image has only the downcalls it is told of: GraalVM reads their shapes from our jar. */
class ReachabilityMetadataTest {
    private static final String METADATA =
            "META-INF/native-image/dev.caisson/caisson-bindings-linux/reachability-metadata.json";
    private static final String LINKER = Linker.class.getName().replace('.', '/');

    private static Path classes() throws Exception {
        return Path.of(
                Errno.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    }

    /** Who links something, in the code that is not generated. */
    private static Set<String> linking(Path classes) throws IOException {
        var linking = new TreeSet<String>();
        try (var files = Files.walk(classes)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".class")).toList()) {
                var parsed = ClassFile.of().parse(file);
                for (var method : parsed.methods()) {
                    method.code()
                            .ifPresent(code -> code.forEach(element -> {
                                if (element instanceof InvokeInstruction call
                                        && call.owner().asInternalName().equals(LINKER)
                                        && (call.name().equalsString("downcallHandle")
                                                || call.name().equalsString("upcallStub"))) {
                                    linking.add(
                                            parsed.thisClass().asInternalName().replace('/', '.'));
                                }
                            }));
                }
            }
        }
        linking.removeIf(name -> name.startsWith("dev.caisson.linux.raw."));
        return linking;
    }

    private static FunctionDescriptor shape(String name) throws ReflectiveOperationException {
        var field = Class.forName(name).getDeclaredField("SHAPE");
        field.setAccessible(true);
        return (FunctionDescriptor) field.get(null);
    }

    private static String type(MemoryLayout layout) {
        return "\"j" + ((ValueLayout) layout).carrier().getName() + "\"";
    }

    private static String entry(FunctionDescriptor shape) {
        return "\"returnType\": " + type(shape.returnLayout().orElseThrow()) + ", \"parameterTypes\": "
                + shape.argumentLayouts().stream()
                        .map(ReachabilityMetadataTest::type)
                        .collect(Collectors.joining(", ", "[", "]"));
    }

    @Test
    void allThatIsLinkedIsInTheMetadata() throws Exception {
        Path classes = classes();
        assertTrue(Files.isDirectory(classes), classes + " holds no class files");
        assertEquals(
                Set.of("dev.caisson.linux.sys.Native"),
                linking(classes),
                "it has one constant SHAPE, which is in the metadata; a second one would slow the first launch of a JVM");
        String expected = "{ \"foreign\": { \"downcalls\": [ { " + entry(shape("dev.caisson.linux.sys.Native"))
                + ", \"options\": {\"firstVariadicArg\": 1, \"captureCallState\": true} } ] },"
                + " \"resources\": [ {\"glob\": \"dev/caisson/linux/child/*.elf\"} ] }";
        String metadata;
        try (var in = Errno.class.getClassLoader().getResourceAsStream(METADATA)) {
            assertTrue(in != null, METADATA);
            metadata = new String(in.readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        }
        assertEquals(expected, metadata.strip().replaceAll("\\s+", " "));
    }

    @Test
    void theGeneratedBindingsAreReadForLayoutsAloneAndLinkNothing() throws Exception {
        // They are not in the metadata; a handle of theirs that somebody began to use would be missing in an image.
        var users = new TreeSet<String>();
        try (var files = Files.walk(classes())) {
            for (Path file : files.filter(f -> f.toString().endsWith(".class")).toList()) {
                var parsed = ClassFile.of().parse(file);
                String user = parsed.thisClass().asInternalName();
                for (var method : parsed.methods()) {
                    method.code()
                            .ifPresent(code -> code.forEach(element -> {
                                if (element instanceof InvokeInstruction call
                                        && call.owner()
                                                .asInternalName()
                                                .matches("dev/caisson/linux/raw/.*/(Libc|Abi|Uapi)(\\$.*)?")
                                        && !user.startsWith("dev/caisson/linux/raw/")) {
                                    users.add(user + " calls " + call.name().stringValue());
                                }
                            }));
                }
            }
        }
        assertEquals(Set.of(), users);
    }
}

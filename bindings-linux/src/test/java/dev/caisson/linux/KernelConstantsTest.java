// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.testkit.KernelNames;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Constants are written out where they are used, for loading the generated ones, thousands in one class, would cost every
 * JVM tens of milliseconds; here they are held against the generated ones.
 */
class KernelConstantsTest {
    @Test
    void everyConstantWithAKernelsNameHasItsValue() throws Exception {
        var names = KernelNames.ofThisArchitecture();
        var wrong = new ArrayList<String>();
        int checked = 0;
        for (Field field : constants()) {
            field.setAccessible(true);
            var expected = names.value(field.getName());
            if (expected.isPresent()) {
                checked++;
                long value = ((Number) field.get(null)).longValue();
                if ((int) value != (int) expected.getAsLong()
                        || value != (int) value && value != expected.getAsLong()) {
                    wrong.add(field + " is " + value + ", the kernel's is " + expected.getAsLong());
                }
            }
        }
        assertEquals(List.of(), wrong);
        assertTrue(checked > 100, checked + " constants checked");
    }

    private static List<Field> constants() throws Exception {
        Path classes = Path.of(
                Errno.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        var all = new ArrayList<Field>();
        try (var files = Files.walk(classes)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".class")).toList()) {
                String name =
                        classes.relativize(file).toString().replace('/', '.').replaceFirst("\\.class$", "");
                if (!name.startsWith("dev.caisson.linux.raw.") && !name.endsWith("-info")) {
                    for (Field field : Class.forName(name, false, Errno.class.getClassLoader())
                            .getDeclaredFields()) {
                        boolean number = field.getType() == int.class || field.getType() == long.class;
                        if (number && Modifier.isStatic(field.getModifiers())) {
                            all.add(field);
                        }
                    }
                }
            }
        }
        return all;
    }
}

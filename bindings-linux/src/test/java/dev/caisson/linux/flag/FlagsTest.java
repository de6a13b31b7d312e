// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.flag;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Arch;
import dev.caisson.testkit.KernelNames;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The kernel's flags, held against the headers of both architectures, whichever this one is. */
class FlagsTest {
    private static final List<Class<?>> FAMILIES = List.of(
            OpenFlags.class,
            AtFlags.class,
            ResolveFlags.class,
            CloneFlags.class,
            MountFlags.class,
            MountAttributes.class,
            MoveMountFlags.class,
            OpenTreeFlags.class,
            SocketTypes.class,
            MessageFlags.class,
            FileTypes.class,
            DescriptorCommands.class,
            MapFlags.class,
            StatxMask.class,
            RenameFlags.class,
            Terminals.class);

    private static Stream<Field> numbers() {
        return FAMILIES.stream()
                .flatMap(family -> Arrays.stream(family.getDeclaredFields()))
                .filter(f -> Modifier.isPublic(f.getModifiers()) && f.getType().isPrimitive());
    }

    @ParameterizedTest
    @EnumSource(names = {"X86_64", "AARCH64"})
    void whatDiffersHasTheValueOfEachArchitecture(Arch arch) throws Exception {
        var names = KernelNames.of(arch);
        for (var flag : OpenFlags.PerArch.values()) {
            assertEquals(flag.on(arch), names.value(flag.name()).orElseThrow(), flag::name);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"X86_64", "AARCH64"})
    void whatIsWrittenOnceIsTheSameOnBoth(Arch arch) throws Exception {
        var names = KernelNames.of(arch);
        Set<String> differing =
                Arrays.stream(OpenFlags.PerArch.values()).map(Enum::name).collect(Collectors.toSet());
        var wrong = new ArrayList<String>();
        int checked = 0;
        for (var field : numbers().toList()) {
            var expected = names.value(field.getName());
            if (expected.isPresent() && !differing.contains(field.getName())) {
                checked++;
                if (field.getLong(null) != expected.getAsLong()) {
                    wrong.add(field + " is " + expected.getAsLong() + " on " + arch);
                }
            }
        }
        assertEquals(List.of(), wrong);
        assertTrue(checked > 60, checked + " checked");
    }

    @Test
    void valuesAreSaidByTheirNames() {
        assertEquals(
                "O_PATH|O_DIRECTORY|O_CLOEXEC",
                OpenFlags.text(OpenFlags.O_CLOEXEC | OpenFlags.O_PATH | OpenFlags.O_DIRECTORY));
        assertEquals("O_RDONLY", OpenFlags.text(0));
        assertEquals(
                "CLONE_NEWNS|CLONE_NEWUSER",
                CloneFlags.of(CloneFlags.CLONE_NEWUSER | CloneFlags.CLONE_NEWNS).text());
        assertFalse(OpenFlags.text(OpenFlags.O_TMPFILE).contains("0x"));
    }
}

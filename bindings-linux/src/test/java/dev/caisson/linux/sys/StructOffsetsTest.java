// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.raw.libc.msghdr;
import dev.caisson.linux.raw.uapi.statx;
import dev.caisson.linux.raw.uapi.statx_timestamp;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.reflect.Modifier;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The offsets that are written as numbers, against the layouts that are generated from the kernel's headers. */
class StructOffsetsTest {
    @Test
    void fieldsOfStatxLieWhereTheHeadersSay() throws Exception {
        compare(Statx.class, statx.layout(), "stx_");
        assertEquals(statx_timestamp.tv_nsec$offset(), Statx.TV_NSEC);
        assertEquals(0, statx_timestamp.tv_sec$offset());
    }

    @Test
    void fieldsOfMsghdrLieWhereTheHeadersSay() throws Exception {
        compare(MessageHeader.class, msghdr.layout(), "msg_");
    }

    @Test
    void errnoLiesWhereTheLinkerPutsIt() {
        assertEquals(Native.ERRNO, Linker.Option.captureStateLayout().byteOffset(PathElement.groupElement("errno")));
    }

    private static void compare(Class<?> offsets, MemoryLayout struct, String prefix) throws Exception {
        var fields = Stream.of(offsets.getDeclaredFields())
                .filter(field -> Modifier.isStatic(field.getModifiers()) && field.getType() == int.class)
                .filter(field -> !field.getName().startsWith("TV_"))
                .toList();
        assertTrue(fields.size() > 5, fields.toString());
        for (var field : fields) {
            String name = field.getName();
            assertEquals(
                    name.equals("SIZE_OF_STRUCT")
                            ? struct.byteSize()
                            : struct.byteOffset(PathElement.groupElement(prefix + name.toLowerCase(Locale.ROOT))),
                    field.getInt(null),
                    name);
        }
    }
}

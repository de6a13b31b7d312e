// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.call;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

class FileNamesTest {
    @Property
    void everyNameComesBack(@ForAll byte[] name) {
        assertArrayEquals(name, FileNames.encode(FileNames.decode(name)));
    }

    @Property
    void validTextIsItself(@ForAll String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        assertEquals(new String(bytes, StandardCharsets.UTF_8), FileNames.decode(bytes));
    }

    @Example
    void aByteThatIsNotUtf8IsALoneSurrogate() {
        assertEquals("a\udcffb", FileNames.decode(new byte[] {'a', (byte) 0xff, 'b'}));
    }
}

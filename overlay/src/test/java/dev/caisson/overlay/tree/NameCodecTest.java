// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class NameCodecTest {
    /** Bytes as hostile programs choose them: mostly such as look like the beginning or middle of UTF-8. */
    @Provide
    Arbitrary<byte[]> names() {
        var likely = Arbitraries.of(
                (byte) 0xed, (byte) 0xa0, (byte) 0x80, (byte) 0xf0, (byte) 0x9f, (byte) 0xc3, (byte) 0xa9, (byte) 'a');
        var any = Arbitraries.bytes().filter(b -> b != 0);
        return Arbitraries.oneOf(likely, any).array(byte[].class).ofMaxSize(40);
    }

    @Property
    void everyNameComesBackAsItWas(@ForAll("names") byte[] name) {
        assertArrayEquals(name, NameCodec.encode(NameCodec.decode(name)));
    }

    @Property
    void textIsItself(@ForAll String text) {
        String valid = new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8).replace("\0", "");
        assertEquals(valid, NameCodec.decode(valid.getBytes(StandardCharsets.UTF_8)));
        assertArrayEquals(valid.getBytes(StandardCharsets.UTF_8), NameCodec.encode(valid));
    }

    @Test
    void aByteThatIsNotTextIsALoneSurrogate() {
        assertEquals("a\udcffb", NameCodec.decode(new byte[] {'a', (byte) 0xff, 'b'}));
        assertEquals("\udcc3(", NameCodec.decode(new byte[] {(byte) 0xc3, '('}));
    }

    @Test
    void nulAndSurrogatesThatStandForNoByteAreRefused() {
        assertThrows(InvalidPathException.class, () -> NameCodec.encode("a\0b"));
        assertThrows(InvalidPathException.class, () -> NameCodec.encode("\ud800"));
        assertThrows(InvalidPathException.class, () -> NameCodec.encode("\udc41"));
    }
}

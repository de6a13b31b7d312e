// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class ByteUnitTest {
    @Test
    void countsBy1024() {
        assertEquals(256, ByteUnit.B.toBytes(256));
        assertEquals(1024, ByteUnit.KB.toBytes(1));
        assertEquals(268_435_456, ByteUnit.MB.toBytes(256));
        assertEquals(1L << 30, ByteUnit.GB.toBytes(1));
        assertEquals(1L << 40, ByteUnit.TB.toBytes(1));
    }

    @Property
    void isExactOrRefused(@ForAll ByteUnit unit, @ForAll long amount) {
        BigInteger bytes = BigInteger.valueOf(1024).pow(unit.ordinal()).multiply(BigInteger.valueOf(amount));
        if (bytes.signum() >= 0 && bytes.bitLength() < Long.SIZE) {
            assertEquals(bytes.longValueExact(), unit.toBytes(amount));
        } else {
            assertThrows(IllegalArgumentException.class, () -> unit.toBytes(amount));
        }
    }

    @Test
    void refusalNamesTheAmountAndWhatIsAllowed() {
        assertEquals(8_388_607L << 40, ByteUnit.TB.toBytes(8_388_607));
        var refusal = assertThrows(IllegalArgumentException.class, () -> ByteUnit.TB.toBytes(8_388_608));
        assertTrue(refusal.getMessage().contains("8388608 TB: must be 0 to 8388607 TB"), refusal.getMessage());
    }
}

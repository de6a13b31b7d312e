// SPDX-License-Identifier: Apache-2.0
package dev.caisson.benchmarks;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A static executable for x86-64 that only calls exit_group(0): what is measured is the launch, not the program. */
final class TinyElf {
    private static final long ADDRESS = 0x400000;
    private static final int HEADERS = 64 + 56;
    private static final byte[] CODE = {(byte) 0xb8, (byte) 231, 0, 0, 0, 0x31, (byte) 0xff, 0x0f, 0x05};

    private TinyElf() {}

    static byte[] exitZero() {
        var out = ByteBuffer.allocate(HEADERS + CODE.length).order(ByteOrder.LITTLE_ENDIAN);
        out.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).position(16);
        out.putShort((short) 2).putShort((short) 62).putInt(1).putLong(ADDRESS + HEADERS);
        out.putLong(64)
                .putLong(0)
                .putInt(0)
                .putShort((short) 64)
                .putShort((short) 56)
                .putShort((short) 1);
        out.putShort((short) 0).putInt(0);
        out.putInt(1).putInt(5).putLong(0).putLong(ADDRESS).putLong(ADDRESS);
        out.putLong(out.capacity()).putLong(out.capacity()).putLong(0x1000);
        return out.put(CODE).array();
    }
}

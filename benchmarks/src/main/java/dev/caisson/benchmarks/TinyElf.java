// SPDX-License-Identifier: Apache-2.0
package dev.caisson.benchmarks;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Static executables for x86-64 of a few instructions: what is measured is the launch, not the program. */
final class TinyElf {
    private static final long ADDRESS = 0x400000;
    private static final int HEADERS = 64 + 56;
    private static final byte[] EXIT_GROUP_0 = {(byte) 0xb8, (byte) 231, 0, 0, 0, 0x31, (byte) 0xff, 0x0f, 0x05};
    private static final byte[] PAUSE_AGAIN = {(byte) 0xb8, 34, 0, 0, 0, 0x0f, 0x05, (byte) 0xeb, (byte) 0xf7};

    private TinyElf() {}

    /** {@return a program that only calls exit_group(0)} */
    static byte[] exitZero() {
        return executable(EXIT_GROUP_0);
    }

    /** {@return a program that waits for signals and never ends by itself} */
    static byte[] pauses() {
        return executable(PAUSE_AGAIN);
    }

    private static byte[] executable(byte[] code) {
        var out = ByteBuffer.allocate(HEADERS + code.length).order(ByteOrder.LITTLE_ENDIAN);
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
        return out.put(code).array();
    }
}

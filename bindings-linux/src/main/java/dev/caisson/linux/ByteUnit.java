// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux;

/** A unit of memory or storage, each 1024 of the one before, as {@code docker run --memory} and systemd count. */
public enum ByteUnit {
    /** One byte. */
    B(0),
    /** 1024 bytes. */
    KB(10),
    /** 1024² bytes. */
    MB(20),
    /** 1024³ bytes. */
    GB(30),
    /** 1024⁴ bytes. */
    TB(40);

    private final int shift;

    ByteUnit(int shift) {
        this.shift = shift;
    }

    /**
     * That many of this unit, in bytes.
     *
     * @throws IllegalArgumentException if it is negative or more than {@link Long#MAX_VALUE} bytes
     */
    public long toBytes(long amount) {
        if (amount < 0 || amount > Long.MAX_VALUE >> shift) {
            throw new IllegalArgumentException(
                    amount + " " + this + ": must be 0 to " + (Long.MAX_VALUE >> shift) + " " + this);
        }
        return amount << shift;
    }
}

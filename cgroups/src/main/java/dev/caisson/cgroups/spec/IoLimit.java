// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

import dev.caisson.linux.ByteUnit;
import java.nio.file.Path;
import java.time.Duration;

/** Limits of the io controller, which version 1 calls blkio. */
public sealed interface IoLimit extends Limit {
    @Override
    default String controller() {
        return "io";
    }

    /** {@return no bound yet for a device, or for the one that a file is stored on} */
    static Max max(Path deviceOrFile) {
        return max(BlockDevice.of("ioMax", deviceOrFile));
    }

    /** {@return no bound yet for a device} */
    static Max max(BlockDevice device) {
        return new Max(device, Amount.max(), Amount.max(), Amount.max(), Amount.max());
    }

    /**
     * Bytes and operations per second of one device (io.max; v1 blkio.throttle.*). All positive.
     *
     * @param readBytes per second
     * @param writeBytes per second
     * @param reads operations per second
     * @param writes operations per second
     */
    record Max(BlockDevice device, Amount readBytes, Amount writeBytes, Amount reads, Amount writes)
            implements IoLimit {
        private static final long MOST_OPERATIONS = 0xffff_ffffL;

        public Max {
            var _ = Check.positive("ioMax", readBytes);
            var _ = Check.positive("ioMax", writeBytes);
            operations(reads);
            operations(writes);
        }

        private static void operations(Amount amount) {
            amount.value().ifPresent(n -> {
                var _ = Check.within("ioMax", n, 1, MOST_OPERATIONS);
            });
        }

        /** {@return this with a bound on reading, per second} */
        public Max readBytes(long amount, ByteUnit unit) {
            return new Max(device, Check.bytes("ioMax", amount, unit), writeBytes, reads, writes);
        }

        /** {@return this with a bound on writing, per second} */
        public Max writeBytes(long amount, ByteUnit unit) {
            return new Max(device, readBytes, Check.bytes("ioMax", amount, unit), reads, writes);
        }

        /** {@return this with a bound on read operations per second} */
        public Max reads(long operations) {
            return new Max(device, readBytes, writeBytes, Amount.of(operations), writes);
        }

        /** {@return this with a bound on write operations per second} */
        public Max writes(long operations) {
            return new Max(device, readBytes, writeBytes, reads, Amount.of(operations));
        }

        @Override
        public String option() {
            return "ioMax";
        }

        @Override
        public String subject() {
            return device.toString();
        }
    }

    /**
     * Share of all devices among busy siblings, 1 to 10000, 100 being usual (io.weight, else io.bfq.weight; v1
     * blkio.bfq.weight, else blkio.weight, converted).
     */
    record Weight(int weight) implements IoLimit {
        public Weight {
            var _ = Check.within("ioWeight", weight, 1, 10_000);
        }

        @Override
        public String option() {
            return "ioWeight";
        }
    }

    /** Share of one device among busy siblings, 1 to 10000. */
    record DeviceWeight(BlockDevice device, int weight) implements IoLimit {
        public DeviceWeight {
            var _ = Check.within("ioWeight", weight, 1, 10_000);
        }

        @Override
        public String option() {
            return "ioWeight";
        }

        @Override
        public String subject() {
            return device.toString();
        }
    }

    /** A latency to protect; siblings with a greater one are throttled when it is missed (io.latency; version 2 only). */
    record Latency(BlockDevice device, Duration target) implements IoLimit {
        public Latency {
            var _ = Check.micros("ioLatency", target, 1, 1_000_000L * 3600);
        }

        @Override
        public String option() {
            return "ioLatency";
        }

        @Override
        public String subject() {
            return device.toString();
        }
    }
}

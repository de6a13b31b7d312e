// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static dev.caisson.linux.flag.MapFlags.MAP_SHARED;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.flag.MapFlags;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Native;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.OptionalInt;

/**
 * Memory that the JVM and its zygotes share, and that outlives each of them. The kernel itself writes the pid of a child into
 * it before the child runs (CLONE_PARENT_SETTID), so that none is ever lost, whoever is killed when.
 *
 * <pre>
 *   +0        int    how many wills there may be
 *   +4096     int[]  the pid of the child at each place, 0 before it is cloned
 *   +266240   char[512][]  directories that the zygote removes when the JVM has ended; empty: none
 * </pre>
 */
final class Ledger implements AutoCloseable {
    static final int PIDS = 4096;
    static final int MOST_PLACES = 65_536;
    static final int WILLS = PIDS + MOST_PLACES * Integer.BYTES;
    static final int WILL_SIZE = 512;
    static final int MOST_WILLS = 8192;
    static final long SIZE = WILLS + (long) MOST_WILLS * WILL_SIZE;

    private static final int PROT_READ_WRITE = MapFlags.PROT_READ | MapFlags.PROT_WRITE;

    private final Fd file;
    private final MemorySegment memory;
    private final BitSet wills = new BitSet();

    private Ledger(Fd file, MemorySegment memory) {
        this.file = file;
        this.memory = memory;
    }

    static Ledger create() throws LinuxException {
        var file = Files.memory("caisson-ledger", SIZE);
        long address = Native.call(Syscall.MMAP, 0, SIZE, PROT_READ_WRITE, MAP_SHARED, file.number(), 0);
        if (Native.failed(address)) {
            file.close();
            throw new LinuxException(Native.errno(address), "mmap(NULL, " + SIZE + ", MAP_SHARED)");
        }
        return new Ledger(file, MemorySegment.ofAddress(address).reinterpret(SIZE));
    }

    /** {@return the memory as a file, for a zygote} */
    Fd file() {
        return file;
    }

    /** {@return where a zygote sees the pid of a place} */
    static long pidAddress(int place) {
        return ZygoteProgram.LEDGER_ADDRESS + PIDS + (long) place * Integer.BYTES;
    }

    /** {@return the pid of the child at a place, or 0 if there is none yet} */
    int pid(int place) {
        return memory.get(JAVA_INT, PIDS + (long) place * Integer.BYTES);
    }

    void clear(int place) {
        memory.set(JAVA_INT, PIDS + (long) place * Integer.BYTES, 0);
    }

    /**
     * Leaves word of a directory that is to be removed when this process has ended.
     *
     * @return its number; none if the path is too long or there are too many
     */
    synchronized OptionalInt leave(String directory) {
        byte[] path = FileNames.encode(directory);
        int number = wills.nextClearBit(0);
        if (path.length >= WILL_SIZE || number >= MOST_WILLS) {
            return OptionalInt.empty();
        }
        wills.set(number);
        long at = WILLS + (long) number * WILL_SIZE;
        memory.asSlice(at, WILL_SIZE).fill((byte) 0);
        MemorySegment.copy(path, 0, memory, JAVA_BYTE, at, path.length);
        memory.set(JAVA_INT, 0, wills.length());
        return OptionalInt.of(number);
    }

    synchronized void takeBack(int number) {
        memory.set(JAVA_BYTE, WILLS + (long) number * WILL_SIZE, (byte) 0);
        wills.clear(number);
        memory.set(JAVA_INT, 0, wills.length());
    }

    @Override
    public void close() {
        var _ = Native.call(Syscall.MUNMAP, memory.address(), SIZE, 0);
        file.close();
    }
}

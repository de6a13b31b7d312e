// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Call;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.flag.AtFlags;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.flag.StatxMask;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/**
 * Makes calls now, in this process, in memory of its own that each call uses anew: to allocate some for each would cost as much as
 * a small call does. Of the thread that opened it; {@link #run} is for a single call.
 */
public final class HereRunner implements AutoCloseable {
    /** Enough for the strings of a call as a rule; what is longer is allocated. */
    private static final int SIZE = 8 << 10;

    private static final int WORD = Long.BYTES;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment errno = Native.errnoMemory(arena);
    private final MemorySegment memory = arena.allocate(SIZE, WORD);
    private int used;

    private HereRunner() {}

    /** {@return one for many calls} */
    public static HereRunner open() {
        return new HereRunner();
    }

    /**
     * {@return the result of a single call}
     *
     * @throws LinuxException if the kernel refuses; its message is the call as printed
     */
    public static long run(Call call) throws LinuxException {
        try (var here = open()) {
            return here.make(call);
        }
    }

    /**
     * {@return the call's result}
     *
     * @throws LinuxException if the kernel refuses; its message is the call as printed
     */
    public long make(Call call) throws LinuxException {
        used = 0;
        long[] a = new long[Call.MAX_ARGS];
        var buffers = new HashMap<String, Long>(2);
        for (int i = 0; i < call.args().size(); i++) {
            a[i] = place(call.args().get(i), buffers);
        }
        long result = Native.call(errno, call.syscall(), a[0], a[1], a[2], a[3], a[4], a[5]);
        if (Native.failed(result)) {
            throw new LinuxException(Native.errno(result), call.toString());
        }
        return result;
    }

    private long place(Arg arg, Map<String, Long> buffers) {
        // By instanceof: a switch over types is linked when it is first come by, which takes longer than a launch.
        if (arg instanceof Arg.Value v) {
            return v.value();
        }
        if (arg instanceof Arg.Text t) {
            return string(t.string());
        }
        if (arg instanceof Arg.Struct s) {
            byte[] data = s.data();
            var segment = take(data.length);
            MemorySegment.copy(data, 0, segment, JAVA_BYTE, 0, data.length);
            for (var pointer : s.pointers().entrySet()) {
                segment.set(JAVA_LONG, pointer.getKey(), place(pointer.getValue(), buffers));
            }
            return segment.address();
        }
        if (arg instanceof Arg.Buffer b) {
            Long known = buffers.get(b.name());
            long address = known == null ? take(b.size()).fill((byte) 0).address() : known;
            buffers.put(b.name(), address);
            return address;
        }
        throw new IllegalArgumentException("no program around " + arg.text());
    }

    private long string(String string) {
        byte[] bytes = FileNames.encode(string);
        var segment = take(bytes.length + 1);
        MemorySegment.copy(bytes, 0, segment, JAVA_BYTE, 0, bytes.length);
        segment.set(JAVA_BYTE, bytes.length, (byte) 0);
        return segment.address();
    }

    private MemorySegment take(int size) {
        int rounded = Math.max(WORD, (size + WORD - 1) / WORD * WORD);
        if (rounded > SIZE - used) {
            return arena.allocate(rounded, WORD);
        }
        var segment = memory.asSlice(used, rounded);
        used += rounded;
        return segment;
    }

    /**
     * {@return a directory of the host, on which nothing can be done but to look and to begin paths}
     *
     * @param path links and all
     */
    public Fd directory(String path) throws LinuxException {
        used = 0;
        int flags = OpenFlags.O_PATH | OpenFlags.O_DIRECTORY | OpenFlags.O_CLOEXEC;
        long result = Native.call(errno, Syscall.OPENAT, AtFlags.AT_FDCWD, string(path), flags, 0, 0, 0);
        if (Native.failed(result)) {
            throw new LinuxException(
                    Native.errno(result), "openat(AT_FDCWD, " + Arg.quote(path) + ", " + OpenFlags.text(flags) + ")");
        }
        return Fd.owning(result);
    }

    /** {@return the status of what a descriptor is open on} */
    public FileStatus status(Fd file) throws LinuxException {
        used = 0;
        var statx = take(Statx.SIZE_OF_STRUCT);
        long result = Native.call(
                errno,
                Syscall.STATX,
                file.number(),
                string(""),
                AtFlags.AT_EMPTY_PATH,
                StatxMask.STATX_BASIC_STATS,
                statx.address(),
                0);
        if (Native.failed(result)) {
            throw new LinuxException(Native.errno(result), "statx(" + file + ", \"\", AT_EMPTY_PATH)");
        }
        return FileStatus.read(statx);
    }

    /** Closes descriptors, as {@link Fd#close} does. */
    public void close(Iterable<Fd> descriptors) {
        for (var fd : descriptors) {
            if (fd.isOpen()) {
                var _ = Native.call(errno, Syscall.CLOSE, fd.release(), 0, 0, 0);
            }
        }
    }

    /** Frees the memory. */
    @Override
    public void close() {
        arena.close();
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Call;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;

/** Makes a call now, in this process. For calls that are rare or whose text matters; hot paths use typed methods. */
public final class HereRunner {
    private HereRunner() {}

    /**
     * {@return the call's result}
     *
     * @throws LinuxException if the kernel refuses; its message is the call as printed
     */
    public static long run(Call call) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var buffers = new HashMap<String, MemorySegment>();
            long[] a = new long[Call.MAX_ARGS];
            for (int i = 0; i < call.args().size(); i++) {
                a[i] = place(call.args().get(i), arena, buffers);
            }
            long result = Native.call(call.syscall(), a[0], a[1], a[2], a[3], a[4], a[5]);
            if (Native.failed(result)) {
                throw new LinuxException(Native.errno(result), call.toString());
            }
            return result;
        }
    }

    private static long place(Arg arg, Arena arena, Map<String, MemorySegment> buffers) {
        return switch (arg) {
            case Arg.Value v -> v.value();
            case Arg.Text t -> At.cString(arena, t.string()).address();
            case Arg.Buffer b ->
                buffers.computeIfAbsent(b.name(), _ -> arena.allocate(b.size(), Long.BYTES))
                        .address();
            case Arg.Struct s -> {
                var segment = arena.allocate(Math.max(1, s.data().length), Long.BYTES);
                MemorySegment.copy(s.data(), 0, segment, ValueLayout.JAVA_BYTE, 0, s.data().length);
                s.pointers()
                        .forEach((offset, target) ->
                                segment.set(ValueLayout.JAVA_LONG_UNALIGNED, offset, place(target, arena, buffers)));
                yield segment.address();
            }
            case Arg.Slot p -> throw new IllegalArgumentException("unbound parameter " + p.name());
            case Arg.ResultOf r -> throw new IllegalArgumentException("no program around the result " + r.name());
        };
    }
}

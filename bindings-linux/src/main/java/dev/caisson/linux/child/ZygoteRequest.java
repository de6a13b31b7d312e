// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.flag.CloneFlags;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;

/** What the zygote is told of one launch: the table of its program, and the descriptors that the child is to have. */
final class ZygoteRequest {
    private static final int SIGCHLD = 17;

    private final Launch launch;
    private final int place;
    private final LaunchMemoryPool memories;

    /** @param place what the zygote will know the child by */
    ZygoteRequest(Launch launch, int place, LaunchMemoryPool memories) {
        this.launch = launch;
        this.place = place;
        this.memories = memories;
    }

    /** {@return whether the zygote has the request, as far as can be told} */
    boolean send(ZygoteProcess process, Fd far) throws IOException {
        var program = launch.program();
        var wanted = new ArrayList<>(launch.descriptors().values());
        launch.cgroup().ifPresent(wanted::add);
        var arrivals = new Arrivals(far.number(), wanted, program.claimed());
        boolean inline = program.size() <= ZygoteProgram.LARGEST_INLINE;
        var memory = memories.take(ZygoteProgram.HEAD_SIZE + program.size());
        try {
            var head = memory.table().asSlice(0, ZygoteProgram.HEAD_SIZE);
            var table = memory.table().asSlice(ZygoteProgram.HEAD_SIZE, program.size());
            head.set(JAVA_INT, ZygoteProgram.OPERATION, ZygoteProgram.LAUNCH);
            head.set(JAVA_INT, ZygoteProgram.PLACE, place);
            place(table, arrivals);
            if (inline) {
                head.set(JAVA_LONG, ZygoteProgram.FILE_SIZE, 0L);
                return send(process, memory.table().asSlice(0, ZygoteProgram.HEAD_SIZE + program.size()), arrivals);
            }
            try (var file = Files.memory("caisson-table", program.size())) {
                Files.writeFully(file, table);
                head.set(JAVA_LONG, ZygoteProgram.FILE_SIZE, (long) program.size());
                head.set(JAVA_INT, ZygoteProgram.FILE, arrivals.last(file.number()));
                return send(process, head, arrivals);
            }
        } finally {
            memories.giveBack(memory);
        }
    }

    private void place(MemorySegment table, Arrivals arrivals) {
        var values = new HashMap<Arg.Slot, Integer>();
        values.put(SyscallProgram.GATE, arrivals.socket());
        values.put(SyscallProgram.REPORT, arrivals.socket());
        launch.descriptors().forEach((name, number) -> values.put(name, arrivals.of(number)));
        launch.program().place(table, ZygoteProgram.REQUEST_ADDRESS, values);
        table.set(JAVA_INT, TableLayout.REPORT_FD, arrivals.socket());
        table.set(JAVA_INT, TableLayout.PIDFD, -1);
        long older = CloneFlags.CLONE_PARENT | CloneFlags.CLONE_PIDFD | launch.flags() | SIGCHLD;
        table.set(JAVA_LONG, TableLayout.OLDER_FLAGS, launch.cgroup().isPresent() ? 0 : older);
        long[] cloneArgs = {
            Zygote.FLAGS | launch.flags() | (launch.cgroup().isPresent() ? CloneFlags.CLONE_INTO_CGROUP : 0),
            ZygoteProgram.REQUEST_ADDRESS + TableLayout.PIDFD,
            0,
            Ledger.pidAddress(place),
            0, // With CLONE_PARENT a child has the exit signal of the one that clones it.
            0,
            0,
            0,
            0,
            0,
            arrivals.of(launch.cgroup())
        };
        MemorySegment.copy(cloneArgs, 0, table, JAVA_LONG, TableLayout.CLONE_ARGS, cloneArgs.length);
    }

    private static boolean send(ZygoteProcess process, MemorySegment message, Arrivals arrivals) throws IOException {
        int[] descriptors = arrivals.sent();
        while (true) {
            long result = process.send(message, descriptors);
            if (result == 0) {
                return true;
            }
            if (result == -Errno.EAGAIN.code()) {
                if (process.isStopped()) {
                    return false;
                }
                continue; // It has much to do.
            }
            if (result == -Errno.EPIPE.code()) {
                return false;
            }
            throw new LinuxException(new Errno((int) -result), "sendmsg(the zygote's socket, SCM_RIGHTS)");
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.LinuxException;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** Keeps a few launch memories, since mapping one anew costs as much as a short launch (page faults). */
final class LaunchMemoryPool {
    private static final int KEPT = 8;
    private static final int LARGEST_KEPT = 256 * 1024;
    private static final int SMALLEST = 48 * 1024;

    private final ArrayDeque<LaunchMemory> free = new ArrayDeque<>();
    private boolean closed;

    LaunchMemory take(int size) throws LinuxException {
        var kept = poll(size);
        return kept != null ? kept : LaunchMemory.map(Math.max(size, SMALLEST));
    }

    private synchronized @Nullable LaunchMemory poll(int size) {
        var memory = free.pollLast();
        if (memory != null && !memory.fits(size)) {
            free.addFirst(memory);
            return null;
        }
        return memory;
    }

    void giveBack(LaunchMemory memory) {
        // Strings of a launch may be secrets (the environment); the next launch may have another owner.
        memory.table().fill((byte) 0);
        if (!keep(memory)) {
            memory.unmap();
        }
    }

    private synchronized boolean keep(LaunchMemory memory) {
        if (closed || free.size() >= KEPT || memory.table().byteSize() > LARGEST_KEPT) {
            return false;
        }
        free.addLast(memory);
        return true;
    }

    synchronized void close() {
        closed = true;
        free.forEach(LaunchMemory::unmap);
        free.clear();
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import dev.caisson.spec.Stdio;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** The beginning of what a command writes, in memory. Thread-safe. */
final class KeptOutput implements Sink {
    private final Stdio.Memory memory;
    private final Runnable onBeyond;
    private final List<byte[]> pieces = new ArrayList<>();
    private final CompletableFuture<byte[]> content = new CompletableFuture<>();
    private int size;
    private boolean truncated;

    /** @param onBeyond told once when more is written than a limit allows */
    KeptOutput(Stdio.Memory memory, Runnable onBeyond) {
        this.memory = memory;
        this.onBeyond = onBeyond;
    }

    @Override
    public void take(MemorySegment bytes) {
        if (keep(bytes) && memory.beyond() == Stdio.Beyond.KILL) {
            onBeyond.run();
        }
    }

    /** {@return whether these are the first too many} */
    private synchronized boolean keep(MemorySegment bytes) {
        int room = (int) Math.min(bytes.byteSize(), memory.cap() - size);
        boolean first = !truncated && room < bytes.byteSize();
        truncated |= first;
        if (room > 0 && !content.isDone()) {
            pieces.add(bytes.asSlice(0, room).toArray(ValueLayout.JAVA_BYTE));
            size += room;
        }
        return first;
    }

    /** {@return what was kept; complete once the command has ended} */
    CompletableFuture<byte[]> content() {
        return content;
    }

    synchronized boolean isTruncated() {
        return truncated;
    }

    @Override
    public synchronized void close() {
        if (!content.isDone()) {
            content.complete(joined());
        }
    }

    @Override
    public synchronized void fail(Throwable why) {
        pieces.clear();
        content.completeExceptionally(why);
    }

    /** Each piece is given up as soon as it is copied, so that twice the output is needed for a moment only. */
    private byte[] joined() {
        byte[] all = new byte[size];
        int at = 0;
        for (int i = 0; i < pieces.size(); i++) {
            byte[] piece = pieces.set(i, new byte[0]);
            System.arraycopy(piece, 0, all, at, piece.length);
            at += piece.length;
        }
        pieces.clear();
        return all;
    }
}

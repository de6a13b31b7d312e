// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/** What a command wrote to a stream that is kept in memory: it can be read when the command has ended. */
final class CapturedInput extends InputStream {
    private final CompletableFuture<byte[]> content;
    private @Nullable ByteArrayInputStream stream;

    CapturedInput(CompletableFuture<byte[]> content) {
        this.content = content;
    }

    private synchronized ByteArrayInputStream stream() throws IOException {
        if (stream == null) {
            try {
                stream = new ByteArrayInputStream(content.get());
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while waiting for the end of the container's command");
            } catch (ExecutionException failed) {
                throw new IOException("the container's output could not be kept", failed.getCause());
            }
        }
        return stream;
    }

    @Override
    public int read() throws IOException {
        return stream().read();
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        return length == 0 ? 0 : stream().read(bytes, offset, length);
    }

    @Override
    public int available() throws IOException {
        return content.isDone() ? stream().available() : 0;
    }
}

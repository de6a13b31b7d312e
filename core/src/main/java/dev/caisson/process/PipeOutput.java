// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Epoll;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Poller;
import java.io.IOException;
import java.io.OutputStream;

/** What a command reads, as a stream. Not buffered. */
public class PipeOutput extends OutputStream {
    private final PipeEnd pipe;

    public PipeOutput(Fd fd, Poller poller) {
        pipe = new PipeEnd(fd, Epoll.OUT, poller);
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        int done = 0;
        while (done < length) {
            done += pipe.transfer(Syscall.WRITE, bytes, offset + done, length - done);
        }
    }

    @Override
    public void close() {
        pipe.close();
    }
}

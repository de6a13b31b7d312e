// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Epoll;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Poller;
import java.io.IOException;
import java.io.InputStream;

/** What a command writes, as a stream. */
class PipeInput extends InputStream {
    private final PipeEnd pipe;

    PipeInput(Fd fd, Poller poller) {
        pipe = new PipeEnd(fd, Epoll.IN, poller);
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        int count = pipe.transfer(Syscall.READ, bytes, offset, length);
        return count == 0 ? -1 : count;
    }

    /** The command has ended: what is left can still be read, without a descriptor. */
    void ended() {
        pipe.ended();
    }

    @Override
    public void close() {
        pipe.close();
    }
}

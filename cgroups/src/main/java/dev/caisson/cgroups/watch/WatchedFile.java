// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.watch;

import dev.caisson.cgroups.text.Text;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Epoll;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Native;
import dev.caisson.linux.sys.Poller;
import java.lang.foreign.Arena;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * An open control file that is read whenever the kernel says it has changed (POLLPRI; kernfs has no other way of telling whoever
 * holds it open). Reading is what makes the kernel tell again.
 */
public final class WatchedFile implements Source {
    private static final int MOST = 2048;

    private final Fd fd;
    private final Consumer<Text> changed;
    private final Consumer<LinuxException> lost;
    private Poller.@Nullable Watch watch;

    private WatchedFile(Fd fd, Consumer<Text> changed, Consumer<LinuxException> lost) {
        this.fd = fd;
        this.changed = changed;
        this.lost = lost;
    }

    /**
     * Watches a file.
     *
     * @param fd is closed with it, or if this fails
     * @param changed gets the text on the poller's thread; must be short
     * @param lost is called if it cannot be read any more; ENODEV says that the cgroup was removed
     */
    public static WatchedFile watch(Poller poller, Fd fd, Consumer<Text> changed, Consumer<LinuxException> lost)
            throws LinuxException {
        var file = new WatchedFile(fd, changed, lost);
        try {
            file.begin(poller);
            return file;
        } catch (LinuxException refused) {
            fd.close();
            throw refused;
        }
    }

    private synchronized void begin(Poller poller) throws LinuxException {
        watch = poller.watch(fd, Epoll.PRI, this::look);
    }

    @Override
    public synchronized void look() {
        if (!fd.isOpen()) {
            return;
        }
        try (var arena = Arena.ofConfined()) {
            var buffer = arena.allocate(MOST);
            long read = Native.call(Syscall.PREAD64, fd.number(), buffer.address(), MOST, 0, 0, 0);
            if (!Native.failed(read)) {
                changed.accept(new Text(buffer, (int) read));
            } else if (read != -Errno.EINTR.code()) {
                // It would be told of again and again.
                stop();
                lost.accept(new LinuxException(Native.errno(read), "pread64(" + fd + ")"));
            }
        }
    }

    private void stop() {
        if (watch != null) {
            watch.end();
            watch = null;
        }
    }

    @Override
    public synchronized void close() {
        stop();
        fd.close();
    }
}

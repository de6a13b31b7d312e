// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Call;
import dev.caisson.linux.mount.ContextLog;
import dev.caisson.linux.mount.MountApi;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A file system being configured in this process (fsopen(2)). What the kernel has to say of a refusal beyond its errno is read
 * back from the context and becomes part of the exception. Of the thread that opened it.
 */
public final class FsContext implements AutoCloseable {
    private final HereRunner here;
    private final Fd fd;
    private final Arg argument;

    private FsContext(HereRunner here, Fd fd) {
        this.here = here;
        this.fd = fd;
        this.argument = Arg.of(fd.number());
    }

    /** Opens the context of a new file system, of the thread that calls. */
    public static FsContext open(String fileSystem) throws LinuxException {
        var here = HereRunner.open();
        try {
            return new FsContext(here, Fd.owning(here.make(MountApi.open(fileSystem))));
        } catch (LinuxException | RuntimeException | Error failed) {
            here.close();
            throw failed;
        }
    }

    /** {@return what makes the calls, for others that go with them} */
    public HereRunner here() {
        return here;
    }

    /** {@return what {@link MountApi} is to configure} */
    public Arg argument() {
        return argument;
    }

    /** Gives a parameter a value, of less than 256 bytes. */
    public FsContext set(String key, String value) throws LinuxException {
        run(MountApi.set(argument, key, value));
        return this;
    }

    /** Sets a parameter without a value. */
    public FsContext setFlag(String key) throws LinuxException {
        run(MountApi.setFlag(argument, key));
        return this;
    }

    /** Makes calls on this context. */
    public FsContext configure(Iterable<Call> calls) throws LinuxException {
        for (var call : calls) {
            run(call);
        }
        return this;
    }

    /**
     * Makes the file system.
     *
     * @param attributes MOUNT_ATTR_*
     * @return the mount of it, without a place
     */
    public Fd mount(long attributes) throws LinuxException {
        run(MountApi.create(argument));
        return Fd.owning(run(MountApi.mount(argument, attributes)));
    }

    private long run(Call call) throws LinuxException {
        try {
            return here.make(call);
        } catch (LinuxException refused) {
            throw new LinuxException(refused.errno(), refused.call(), ContextLog.text(log()));
        }
    }

    private String log() {
        var lines = new StringBuilder();
        try (var arena = Arena.ofConfined()) {
            var line = arena.allocate(ContextLog.LINE);
            for (int i = 0; i < ContextLog.LINES; i++) {
                long length = Native.call(Syscall.READ, fd.number(), line.address(), line.byteSize());
                if (length <= 0) {
                    break;
                }
                lines.append(
                        new String(line.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8));
                lines.append('\n');
            }
        }
        return lines.toString();
    }

    @Override
    public void close() {
        here.close(List.of(fd));
        here.close();
    }
}

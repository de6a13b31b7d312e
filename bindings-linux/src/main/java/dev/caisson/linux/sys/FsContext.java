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

/**
 * A file system being configured in this process (fsopen(2)). What the kernel has to say of a refusal beyond its errno is read
 * back from the context and becomes part of the exception. Not thread-safe.
 */
public final class FsContext implements AutoCloseable {
    private final Fd fd;
    private final Arg argument;

    private FsContext(Fd fd) {
        this.fd = fd;
        this.argument = Arg.of(fd.number());
    }

    /** Opens the context of a new file system. */
    public static FsContext open(String fileSystem) throws LinuxException {
        return new FsContext(Fd.owning(HereRunner.run(MountApi.open(fileSystem))));
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
            return HereRunner.run(call);
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
        fd.close();
    }
}

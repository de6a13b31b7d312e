// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.mount;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Call;
import dev.caisson.linux.flag.MountAttributes;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.HereRunner;
import dev.caisson.linux.sys.Native;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.StringJoiner;

/**
 * A file system being configured (fsopen(2)). What the kernel has to say of a refusal beyond its errno is read back from the
 * context and becomes part of the exception.
 */
public final class FsContext implements AutoCloseable {
    public static final long READ_ONLY = MountAttributes.MOUNT_ATTR_RDONLY;
    static final long NO_SUID = MountAttributes.MOUNT_ATTR_NOSUID;
    static final long NO_DEVICES = MountAttributes.MOUNT_ATTR_NODEV;

    private static final Arg SET_FLAG = Arg.named(0, "FSCONFIG_SET_FLAG");
    private static final Arg SET_STRING = Arg.named(1, "FSCONFIG_SET_STRING");
    private static final Arg SET_FD = Arg.named(5, "FSCONFIG_SET_FD");
    private static final Arg CREATE = Arg.named(6, "FSCONFIG_CMD_CREATE");

    /** The kernel keeps this many lines. */
    private static final int LOG_LINES = 8;

    private static final int LOG_LINE = 1024;

    private final Fd fd;

    private FsContext(Fd fd) {
        this.fd = fd;
    }

    public static FsContext open(String fileSystem) throws LinuxException {
        return new FsContext(Fd.owning(
                HereRunner.run(Call.of(Syscall.FSOPEN, Arg.text(fileSystem), Arg.named(1, "FSOPEN_CLOEXEC")))));
    }

    public FsContext set(Parameter parameter) throws LinuxException {
        switch (parameter) {
            case Parameter.Flag flag -> configure(SET_FLAG, Arg.text(flag.key()), Arg.nullPointer(), 0);
            case Parameter.Text text -> set(text.key(), text.value());
        }
        return this;
    }

    public FsContext set(String key, String value) throws LinuxException {
        configure(SET_STRING, Arg.text(key), Arg.text(value), 0);
        return this;
    }

    public FsContext set(String key, Fd value) throws LinuxException {
        configure(SET_FD, Arg.text(key), Arg.nullPointer(), value.number());
        return this;
    }

    /** {@return the file system, mounted nowhere} */
    public Fd mount(long attributes) throws LinuxException {
        configure(CREATE, Arg.nullPointer(), Arg.nullPointer(), 0);
        return Fd.owning(run(
                Call.of(Syscall.FSMOUNT, Arg.of(fd.number()), Arg.named(1, "FSMOUNT_CLOEXEC"), Arg.of(attributes))));
    }

    private void configure(Arg command, Arg key, Arg value, int descriptor) throws LinuxException {
        run(Call.of(Syscall.FSCONFIG, Arg.of(fd.number()), command, key, value, Arg.of(descriptor)));
    }

    private long run(Call call) throws LinuxException {
        try {
            return HereRunner.run(call);
        } catch (LinuxException refused) {
            throw new LinuxException(refused.errno(), refused.call(), log());
        }
    }

    private String log() {
        var lines = new StringJoiner("; ");
        try (var arena = Arena.ofConfined()) {
            var line = arena.allocate(LOG_LINE);
            for (int i = 0; i < LOG_LINES; i++) {
                long length = Native.call(Syscall.READ, fd.number(), line.address(), line.byteSize());
                if (length <= 0) {
                    break;
                }
                lines.add(message(
                        new String(line.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8)));
            }
        }
        return lines.toString();
    }

    /** {@return a line of a context's log without the letter of its severity} */
    static String message(String line) {
        String text = line.strip();
        return text.length() > 2 && text.charAt(1) == ' ' ? text.substring(2) : text;
    }

    @Override
    public void close() {
        fd.close();
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.flag;

import dev.caisson.linux.Arch;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Flags;

/** Flags of open(2), and of other calls that make descriptors. Four of them differ between the architectures. */
public final class OpenFlags {
    public static final int O_RDONLY = 0;
    public static final int O_WRONLY = 1;
    public static final int O_RDWR = 2;
    public static final int O_CREAT = 0x40;
    public static final int O_EXCL = 0x80;
    public static final int O_NOCTTY = 0x100;
    public static final int O_TRUNC = 0x200;
    public static final int O_APPEND = 0x400;
    public static final int O_NONBLOCK = 0x800;
    public static final int O_CLOEXEC = 0x80000;
    public static final int O_PATH = 0x200000;

    /** What differs between the architectures. */
    enum PerArch {
        O_TMPFILE(0x410000, 0x404000),
        O_DIRECTORY(0x10000, 0x4000),
        O_NOFOLLOW(0x20000, 0x8000),
        O_DIRECT(0x4000, 0x10000);

        private final int x86;
        private final int arm;

        PerArch(int x86, int arm) {
            this.x86 = x86;
            this.arm = arm;
        }

        int on(Arch arch) {
            return arch == Arch.AARCH64 ? arm : x86;
        }
    }

    public static final int O_TMPFILE = PerArch.O_TMPFILE.on(Arch.host());
    public static final int O_DIRECTORY = PerArch.O_DIRECTORY.on(Arch.host());
    public static final int O_NOFOLLOW = PerArch.O_NOFOLLOW.on(Arch.host());
    public static final int O_DIRECT = PerArch.O_DIRECT.on(Arch.host());

    private static final Flags NAMES = Flags.named("O_RDONLY")
            .with("O_TMPFILE", O_TMPFILE)
            .with("O_PATH", O_PATH)
            .with("O_WRONLY", O_WRONLY)
            .with("O_RDWR", O_RDWR)
            .with("O_CREAT", O_CREAT)
            .with("O_EXCL", O_EXCL)
            .with("O_NOCTTY", O_NOCTTY)
            .with("O_TRUNC", O_TRUNC)
            .with("O_APPEND", O_APPEND)
            .with("O_NONBLOCK", O_NONBLOCK)
            .with("O_DIRECT", O_DIRECT)
            .with("O_DIRECTORY", O_DIRECTORY)
            .with("O_NOFOLLOW", O_NOFOLLOW)
            .with("O_CLOEXEC", O_CLOEXEC);

    private OpenFlags() {}

    /** {@return their names, joined by {@code |}} */
    public static String text(long flags) {
        return NAMES.text(flags);
    }

    /** {@return them as an argument that prints their names} */
    public static Arg.Value of(long flags) {
        return NAMES.of(flags);
    }
}

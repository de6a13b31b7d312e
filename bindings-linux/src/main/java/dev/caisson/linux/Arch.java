// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux;

import java.util.Arrays;
import java.util.Optional;

/**
 * A system call convention: which number means which call, and how wide its arguments are.
 *
 * <p>One kernel accepts several: on {@link #X86_64} also {@link #X86} and, where it is built in, {@link #X32}. A filter
 * that forgets one of them has a hole.
 */
public enum Arch {
    /** 64-bit x86. */
    X86_64(0xC000003E, Width.BITS_64),
    /** 32-bit x86, the {@code int 0x80} calls that a 64-bit kernel accepts too. */
    X86(0x40000003, Width.BITS_32),
    /** 64-bit x86 with 32-bit pointers: the token of {@link #X86_64}, told apart by bit 30 of the number. */
    X32(0xC000003E, Width.BITS_64),
    /** 64-bit Arm. */
    AARCH64(0xC00000B7, Width.BITS_64);

    private enum Width {
        BITS_32,
        BITS_64
    }

    /** The kernel's __X32_SYSCALL_BIT. */
    static final int X32_BIT = 0x40000000;

    /** Found out once: every system call asks. */
    private static final Optional<Arch> HOST = ofThisJvm();

    private final int auditArch;
    private final Width width;

    Arch(int auditArch, Width width) {
        this.auditArch = auditArch;
        this.width = width;
    }

    /**
     * The convention this JVM runs on.
     *
     * @throws UnsupportedOperationException if it is neither x86-64 nor 64-bit Arm
     */
    public static Arch host() {
        if (HOST.isEmpty()) {
            throw new UnsupportedOperationException(
                    "os.arch " + System.getProperty("os.arch") + ": Caisson runs on 64-bit x86 and 64-bit Arm only");
        }
        return HOST.get();
    }

    private static Optional<Arch> ofThisJvm() {
        return switch (System.getProperty("os.arch", "unknown")) {
            case "amd64", "x86_64" -> Optional.of(X86_64);
            case "aarch64" -> Optional.of(AARCH64);
            default -> Optional.empty();
        };
    }

    /** The convention of a call as seccomp reports it: its token and its number; empty if it is none of ours. */
    public static Optional<Arch> of(int auditArch, int number) {
        if (auditArch == X86_64.auditArch) {
            return Optional.of((number & X32_BIT) == 0 ? X86_64 : X32);
        }
        return Arrays.stream(values())
                .filter(arch -> arch.auditArch == auditArch)
                .findFirst();
    }

    /** {@return the AUDIT_ARCH_ token that {@code seccomp_data.arch} holds (linux/audit.h)} */
    public int auditArch() {
        return auditArch;
    }

    /** {@return whether the registers that carry its arguments are 64 bits wide; true of {@link #X32} as well} */
    public boolean is64Bit() {
        return width == Width.BITS_64;
    }
}

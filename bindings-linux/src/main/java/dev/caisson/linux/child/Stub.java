// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static dev.caisson.linux.flag.MapFlags.PROT_EXEC;
import static dev.caisson.linux.flag.MapFlags.PROT_READ;
import static dev.caisson.linux.flag.MapFlags.PROT_WRITE;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.flag.MapFlags;
import dev.caisson.linux.sys.Native;
import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * The machine code of {@code src/main/stub}, mapped once, first writable, then executable, never both. It lives as long
 * as the JVM.
 */
final class Stub {
    /** Where the isolated image's entry point lies in the code of every architecture. */
    static final int START = 128;

    private static final long PAGE = 4096;
    private static final int MAP_PRIVATE_ANONYMOUS = MapFlags.MAP_PRIVATE | MapFlags.MAP_ANONYMOUS;

    private static final OfHost HOST = new OfHost();

    private final byte[] code;
    private final MemorySegment mapped;

    private Stub(Arch arch) {
        this.code = load(arch);
        this.mapped = MemorySegment.ofAddress(map(code));
    }

    /** {@return the stub of this machine} */
    static Stub host() {
        return HOST.get();
    }

    /** Not a static initializer: where memory is short, mapping it fails, and may be tried again later. */
    private static final class OfHost {
        private @Nullable Stub stub;

        synchronized Stub get() {
            if (stub == null) {
                stub = new Stub(Arch.host());
            }
            return stub;
        }
    }

    /** {@return the assembled code of an architecture} */
    static byte[] load(Arch arch) {
        return HexFormat.of()
                .parseHex(
                        switch (arch) {
                            case X86_64 -> StubCode.X86_64;
                            case AARCH64 -> StubCode.AARCH64;
                            case X86, X32 ->
                                throw new UnsupportedOperationException("Caisson has no launch stub for " + arch);
                        });
    }

    private static long map(byte[] code) {
        long length = (code.length + PAGE - 1) & -PAGE;
        long address = Native.call(Syscall.MMAP, 0, length, PROT_READ | PROT_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
        if (Native.failed(address)) {
            throw new IllegalStateException("no memory for the launch stub: mmap = " + Native.errno(address));
        }
        MemorySegment.copy(code, 0, MemorySegment.ofAddress(address).reinterpret(length), JAVA_BYTE, 0, code.length);
        long protection = Native.call(Syscall.MPROTECT, address, length, PROT_READ | PROT_EXEC);
        if (Native.failed(protection)) {
            var _ = Native.call(Syscall.MUNMAP, address, length, 0);
            throw new IllegalStateException(
                    "this host forbids executable memory (SELinux execmem or a seccomp filter): "
                            + "mprotect(PROT_EXEC) = " + Native.errno(protection));
        }
        return address;
    }

    byte[] code() {
        return code.clone();
    }

    /**
     * Clones a child that walks the table; returns when it has executed its program or ended.
     *
     * @param table address of a placed table whose clone_args are filled in
     * @return the child's pid or {@code -errno}
     */
    long launch(long table) {
        return Native.run(mapped, table);
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.caisson.linux.raw.uapi.Uapi;
import dev.caisson.linux.raw.uapi.elf64_hdr;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ArchTest {
    @Test
    void tokensAreThoseOfTheKernelHeaders() {
        assertEquals(Uapi.AUDIT_ARCH_X86_64(), Arch.X86_64.auditArch());
        assertEquals(Uapi.AUDIT_ARCH_X86_64(), Arch.X32.auditArch());
        assertEquals(Uapi.AUDIT_ARCH_I386(), Arch.X86.auditArch());
        assertEquals(Uapi.AUDIT_ARCH_AARCH64(), Arch.AARCH64.auditArch());
    }

    @Test
    void hostIsWhatThisJvmWasBuiltFor() throws Exception {
        var header = ByteBuffer.allocate((int) elf64_hdr.sizeof()).order(ByteOrder.nativeOrder());
        try (var executable = FileChannel.open(Path.of("/proc/self/exe"))) {
            executable.read(header);
        }
        int machine = header.getShort((int) elf64_hdr.e_machine$offset());
        assertEquals(Arch.host() == Arch.X86_64 ? Uapi.EM_X86_64() : Uapi.EM_AARCH64(), machine);
    }

    @Test
    void x32IsToldFromX8664ByBit30OfTheNumber() {
        assertEquals(Optional.of(Arch.X86_64), Arch.of(Uapi.AUDIT_ARCH_X86_64(), 0x3fffffff));
        assertEquals(Optional.of(Arch.X32), Arch.of(Uapi.AUDIT_ARCH_X86_64(), 0x40000000));
        assertEquals(Optional.of(Arch.AARCH64), Arch.of(Uapi.AUDIT_ARCH_AARCH64(), 0x40000000));
        assertEquals(Optional.empty(), Arch.of(Uapi.AUDIT_ARCH_ARM(), 0));
    }

    @Test
    void onlyX86HasNarrowRegisters() {
        for (Arch arch : Arch.values()) {
            assertEquals(arch != Arch.X86, arch.is64Bit());
        }
    }
}

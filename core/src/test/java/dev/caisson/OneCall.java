// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Executables for x86 that make one system call with registers of any value, and exit with 0 or the call's errno. */
final class OneCall {
    static final int LOADED_AT = 0x10000;
    private static final int CODE = 64 + 56;

    /** Where words lie that a call may point to. */
    static final int WORDS_AT = LOADED_AT + CODE + 80;

    /** How it is made: by a 32-bit program, or by a 64-bit one in its own way or in that of 32-bit programs. */
    enum Way {
        I386,
        X86_64,
        I386_FROM_X86_64
    }

    private OneCall() {}

    /** {@return an ELF file} Registers are those of the way's convention, in its order. */
    static byte[] program(Way way, int number, long first, long second, long third, int... words) {
        int size = WORDS_AT - LOADED_AT + Integer.BYTES * words.length;
        var file = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        if (way == Way.I386) {
            header32(file, size);
        } else {
            header64(file, size);
        }
        file.position(CODE);
        switch (way) {
            case I386 -> {
                file.put((byte) 0xb8).putInt(number); // mov eax, number
                file.put((byte) 0xbb).putInt((int) first); // mov ebx, first
                file.put((byte) 0xb9).putInt((int) second); // mov ecx, second
                file.put((byte) 0xba).putInt((int) third); // mov edx, third
                file.put(bytes(0xcd, 0x80)); // int 0x80
            }
            case X86_64 -> {
                file.put(bytes(0x48, 0xb8)).putLong(number); // mov rax, number
                file.put(bytes(0x48, 0xbf)).putLong(first); // mov rdi, first
                file.put(bytes(0x48, 0xbe)).putLong(second); // mov rsi, second
                file.put(bytes(0x48, 0xba)).putLong(third); // mov rdx, third
                file.put(bytes(0x0f, 0x05)); // syscall
            }
            case I386_FROM_X86_64 -> {
                file.put(bytes(0x48, 0xb8)).putLong(number);
                file.put(bytes(0x48, 0xbb)).putLong(first); // mov rbx, first
                file.put(bytes(0x48, 0xb9)).putLong(second); // mov rcx, second
                file.put(bytes(0x48, 0xba)).putLong(third);
                file.put(bytes(0xcd, 0x80));
            }
        }
        // The result is a descriptor, or the errno negative. By int 0x80, exit is 1 and its code in ebx.
        file.put(bytes(0x89, 0xc3)); // mov ebx, eax
        file.put(bytes(0xf7, 0xdb)); // neg ebx
        file.put(bytes(0x7f, 0x02)); // jg exit
        file.put(bytes(0x31, 0xdb)); // xor ebx, ebx
        file.put(bytes(0xb8)).putInt(1); // exit: mov eax, 1
        file.put(bytes(0xcd, 0x80)); // int 0x80
        file.position(WORDS_AT - LOADED_AT);
        for (int word : words) {
            file.putInt(word);
        }
        return file.array();
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    private static void identify(ByteBuffer file, int bits, int machine) {
        file.put(bytes(0x7f, 'E', 'L', 'F', bits, 1, 1)).position(16);
        file.putShort((short) 2).putShort((short) machine).putInt(1);
    }

    private static void header32(ByteBuffer file, int size) {
        identify(file, 1, 3);
        file.putInt(LOADED_AT + CODE).putInt(52).putInt(0).putInt(0);
        file.putShort((short) 52).putShort((short) 32).putShort((short) 1);
        file.position(52);
        file.putInt(1).putInt(0).putInt(LOADED_AT).putInt(LOADED_AT);
        file.putInt(size).putInt(size).putInt(5).putInt(0x1000);
    }

    private static void header64(ByteBuffer file, int size) {
        identify(file, 2, 62);
        file.putLong(LOADED_AT + CODE).putLong(64).putLong(0).putInt(0);
        file.putShort((short) 64).putShort((short) 56).putShort((short) 1);
        file.position(64);
        file.putInt(1).putInt(5).putLong(0).putLong(LOADED_AT).putLong(LOADED_AT);
        file.putLong(size).putLong(size).putLong(0x1000);
    }
}

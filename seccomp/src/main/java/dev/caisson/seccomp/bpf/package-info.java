// SPDX-License-Identifier: Apache-2.0

/**
 * Filter programs in the kernel's form: instructions, their assembler and disassembler, the kernel's checks, an interpreter.
 * Read {@link dev.caisson.seccomp.bpf.Instruction} first; nothing here knows of policies.
 */
@NullMarked
package dev.caisson.seccomp.bpf;

import org.jspecify.annotations.NullMarked;

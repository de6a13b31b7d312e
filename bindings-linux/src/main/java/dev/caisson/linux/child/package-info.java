// SPDX-License-Identifier: Apache-2.0
/**
 * The launch engine: system calls made later, in a cloned child where no Java code can run. A {@link
 * dev.caisson.linux.child.SyscallProgram} is encoded into a table that a few hundred bytes of machine code walk; read it
 * first, then {@link dev.caisson.linux.child.Launcher}.
 */
@NullMarked
package dev.caisson.linux.child;

import org.jspecify.annotations.NullMarked;

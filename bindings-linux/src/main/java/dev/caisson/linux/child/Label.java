// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

/** A place in a program. Made by {@link SyscallProgram.Builder#label}, set by {@link SyscallProgram.Builder#bind}. */
public record Label(int id) {}

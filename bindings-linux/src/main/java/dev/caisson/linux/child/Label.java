// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

/** A place in a program. Made by {@link SyscallProgram.Builder#label}, set by {@link SyscallProgram.Builder#bind}. */
public record Label(int id) {
    // Written out, as for arguments: what a record has of itself is linked when it is first used, and no archive keeps
    // that.
    @Override
    public boolean equals(Object other) {
        return other instanceof Label label && label.id == id;
    }

    @Override
    public int hashCode() {
        return id;
    }
}

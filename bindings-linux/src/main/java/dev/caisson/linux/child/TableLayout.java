// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

/** Where things lie in the table that the stub walks. The pictures are in the head of {@code src/main/stub/x86_64.S}. */
final class TableLayout {
    static final int STATE = 0;
    static final int FAILED_STEP = 4;
    static final int FAILED_ERRNO = 8;
    static final int REPORT_FD = 12;

    /** For a zygote, which saves no mask: the flags of clone(2), should clone3 be unknown here; 0 if those do not suffice. */
    static final int OLDER_FLAGS = 16;

    static final int FULL_MASK = 24;
    static final int CLONE_ARGS = 32;
    static final int CLONE_ARGS_SIZE = 88;
    static final int CLONE_ARGS_PARENT_TID = CLONE_ARGS + 24;
    static final int PIDFD = 120;
    static final int PID = 124;
    static final int STEPS = 128;

    static final int REPORT_SIZE = 16;

    static final int STEP_SIZE = 72;
    static final int STEP_OPERATION = 0;
    static final int STEP_REFERENCES = 1;
    static final int STEP_ON_ERROR = 2;
    static final int STEP_CONDITION = 3;
    static final int STEP_TARGET = 4;
    static final int STEP_ARGS = 8;
    static final int STEP_NUMBER = 56;
    static final int STEP_ERRNOS = 58;
    static final int STEP_RESULT = 64;

    /** On error: else 0, to fail. */
    static final int IGNORE = 1;

    static final int JUMP = 2;

    static final int SETTING_UP = 0;
    static final int EXECVE_ATTEMPTED = 1;
    static final int FAILED = 2;

    /** Not written by the stub: a program may report the pid of a payload it forked in the errno field. */
    static final int FORKED = 3;

    /** Nor is this: the number of the gate is in the field of the failed step, an address in the eight bytes after it. */
    static final int AT_A_GATE = 4;

    static final int GATE_NUMBER = 4;
    static final int GATE_ADDRESS = 8;

    /** From the zygote: clone3 was refused, with the errno in its field. */
    static final int REFUSED = 5;

    /** A program has come to where its rest is awaited. */
    static final int WAITING = 6;

    /** Where tables lie in the zygote and its children, and the address that they are encoded for: there, nothing moves. */
    static final long HOME = 1L << 32;

    private TableLayout() {}

    static int step(int index) {
        return STEPS + index * STEP_SIZE;
    }

    static int index(int offset) {
        return (offset - STEPS) / STEP_SIZE;
    }
}

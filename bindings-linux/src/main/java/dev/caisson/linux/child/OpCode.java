// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

/** What a step of the table does, in the order of the stub's numbers. */
enum OpCode {
    CALL,
    EXECVE,
    BRANCH,
    LOAD_INT,
    LOAD_LONG,
    STORE_INT,
    STORE_LONG,
    ADD,
    FAIL,
    ENTER
}

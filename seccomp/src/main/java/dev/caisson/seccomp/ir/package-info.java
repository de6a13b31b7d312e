// SPDX-License-Identifier: Apache-2.0

/**
 * The compiler's intermediate form: a graph of loads, tests and returns in which equal parts exist once, and the passes that
 * make it small. Read {@link dev.caisson.seccomp.ir.Graph} first, then {@link dev.caisson.seccomp.ir.SearchTree}.
 */
@NullMarked
package dev.caisson.seccomp.ir;

import org.jspecify.annotations.NullMarked;

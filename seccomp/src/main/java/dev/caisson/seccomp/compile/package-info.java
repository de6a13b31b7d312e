// SPDX-License-Identifier: Apache-2.0

/**
 * The compiler: from rules whose outcomes are return values to a graph of loads, tests and returns in which equal parts exist
 * once, by passes that make it small. It knows nothing of policies. Read
 * {@link dev.caisson.seccomp.compile.Compiler} first, then {@link dev.caisson.seccomp.compile.Graph} and {@link dev.caisson.seccomp.compile.SearchTree}. Of a search in numbers, each
 * class knows those before it alone: {@code Partition}, {@code Part}, {@code Known}, {@code Segments}, {@code TreeShape},
 * {@code SearchTree}.
 */
@NullMarked
package dev.caisson.seccomp.compile;

import org.jspecify.annotations.NullMarked;

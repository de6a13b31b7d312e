// SPDX-License-Identifier: Apache-2.0

/**
 * What launching, system calls, filters and overlays cost, measured by JMH.
 * Read {@code benchmarks/README.md} first; it says how each number is taken.
 */
@NullMarked
package dev.caisson.benchmarks;

import org.jspecify.annotations.NullMarked;

// SPDX-License-Identifier: Apache-2.0

/**
 * Seccomp policies as immutable values, compiled to the kernel's filter programs.
 * Read {@code Seccomp} first.
 */
@NullMarked
package dev.caisson.seccomp;

import org.jspecify.annotations.NullMarked;

// SPDX-License-Identifier: Apache-2.0

/**
 * Policies learned from what programs do. Read {@link dev.caisson.seccomp.learning.Recording} first.
 */
@NullMarked
package dev.caisson.seccomp.learning;

import org.jspecify.annotations.NullMarked;

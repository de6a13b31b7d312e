// SPDX-License-Identifier: Apache-2.0

/**
 * Containers that outlive their JVM: where their state is on disk, what it says, and how a JVM talks to the supervisor of one.
 * Read {@link dev.caisson.supervise.StateDirectory} first.
 */
@NullMarked
package dev.caisson.supervise;

import org.jspecify.annotations.NullMarked;

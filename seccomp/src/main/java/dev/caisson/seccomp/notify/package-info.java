// SPDX-License-Identifier: Apache-2.0

/**
 * The JVM's side of user notification: who listens, and how supervisors reach what they decide about. Read {@code Listeners}
 * first.
 */
@NullMarked
package dev.caisson.seccomp.notify;

import org.jspecify.annotations.NullMarked;

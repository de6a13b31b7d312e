// SPDX-License-Identifier: Apache-2.0

/**
 * Control files that tell of changes, and the delivery of what they tell: {@link dev.caisson.cgroups.watch.WatchedFile} on the
 * poller's thread, {@link dev.caisson.cgroups.watch.Delivery} on threads of the subscribers' own.
 */
@NullMarked
package dev.caisson.cgroups.watch;

import org.jspecify.annotations.NullMarked;

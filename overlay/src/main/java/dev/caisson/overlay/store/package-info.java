// SPDX-License-Identifier: Apache-2.0

/**
 * How a layer store lies on disk. Read {@link dev.caisson.overlay.store.StoreDirectory} first.
 */
@NullMarked
package dev.caisson.overlay.store;

import org.jspecify.annotations.NullMarked;

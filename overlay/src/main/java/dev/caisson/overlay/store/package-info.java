// SPDX-License-Identifier: Apache-2.0

/**
 * Layers kept on disk by id and shared by everything made on them. Read {@link dev.caisson.overlay.store.LayerStore} first, and
 * {@code StoreDirectory} for how they lie on disk.
 */
@NullMarked
package dev.caisson.overlay.store;

import org.jspecify.annotations.NullMarked;

// SPDX-License-Identifier: Apache-2.0

/**
 * Root file systems stacked from layers by overlayfs, and the changes a container made to them.
 * Read {@code Overlay} and {@code Layer} first.
 */
@NullMarked
package dev.caisson.overlay;

import org.jspecify.annotations.NullMarked;

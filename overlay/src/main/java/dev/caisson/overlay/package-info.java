// SPDX-License-Identifier: Apache-2.0

/**
 * Root file systems stacked from layers by overlayfs: what to merge, how it behaves, and what may be done where the kernel
 * refuses. Read {@link dev.caisson.overlay.Overlay} first; what was changed is in {@code changes}, layers on disk in {@code store}.
 */
@NullMarked
package dev.caisson.overlay;

import org.jspecify.annotations.NullMarked;

// SPDX-License-Identifier: Apache-2.0

/**
 * What stands in for an overlay of the kernel where it refuses one: copies of merged layers, and fuse-overlayfs(1). Read {@link dev.caisson.overlay.fallback.CopiedTree} first.
 */
@NullMarked
package dev.caisson.overlay.fallback;

import org.jspecify.annotations.NullMarked;

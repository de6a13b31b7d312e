// SPDX-License-Identifier: Apache-2.0

/**
 * Trees of files that somebody hostile may change at the same time, reached by descriptors and never by paths of the host.
 * Read {@link dev.caisson.overlay.tree.SafeTree} first, then {@link dev.caisson.overlay.tree.TreeFileSystem}.
 */
@NullMarked
package dev.caisson.overlay.tree;

import org.jspecify.annotations.NullMarked;

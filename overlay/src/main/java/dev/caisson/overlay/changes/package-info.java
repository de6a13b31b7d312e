// SPDX-License-Identifier: Apache-2.0

/**
 * What a container, or anybody, changed in a merged tree: the differences, where each path of it comes from, what a first write
 * will cost, and whether the layers below stayed as they were. Read {@link dev.caisson.overlay.changes.Change} first.
 */
@NullMarked
package dev.caisson.overlay.changes;

import org.jspecify.annotations.NullMarked;

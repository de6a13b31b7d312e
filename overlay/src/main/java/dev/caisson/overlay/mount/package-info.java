// SPDX-License-Identifier: Apache-2.0

/**
 * Mounting an overlay from this process, as a detached tree that no path of the host leads to. Read {@link
 * dev.caisson.overlay.mount.OverlayMounter} first.
 */
@NullMarked
package dev.caisson.overlay.mount;

import org.jspecify.annotations.NullMarked;

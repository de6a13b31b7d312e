// SPDX-License-Identifier: Apache-2.0

/**
 * Mounting as data: the calls of the mount API, for whoever makes them, here or in a child, and the reading of what file systems
 * say. Read {@link dev.caisson.linux.mount.MountApi} first.
 */
@NullMarked
package dev.caisson.linux.mount;

import org.jspecify.annotations.NullMarked;

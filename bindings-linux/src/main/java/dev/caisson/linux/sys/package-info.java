// SPDX-License-Identifier: Apache-2.0
/**
 * System calls made now, in this process. {@link dev.caisson.linux.sys.Native} is the only door to the kernel; the other
 * classes are its typed faces, one per area, and every descriptor they return is an owned {@link
 * dev.caisson.linux.sys.Fd}.
 */
@NullMarked
package dev.caisson.linux.sys;

import org.jspecify.annotations.NullMarked;

// SPDX-License-Identifier: Apache-2.0
/**
 * A system call as data, to be printed, made here, or encoded for a cloned child. Read {@link
 * dev.caisson.linux.call.Call} first, then {@link dev.caisson.linux.call.Arg}.
 */
@NullMarked
package dev.caisson.linux.call;

import org.jspecify.annotations.NullMarked;

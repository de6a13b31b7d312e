// SPDX-License-Identifier: Apache-2.0

/**
 * Values of the Linux kernel: error numbers, signals, system calls, features, and the exceptions that carry them.
 * Read {@code Errno} and {@code LinuxException} first; what calls the kernel lives in the packages below.
 */
@NullMarked
package dev.caisson.linux;

import org.jspecify.annotations.NullMarked;

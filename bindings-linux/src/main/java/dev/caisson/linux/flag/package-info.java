// SPDX-License-Identifier: Apache-2.0

/**
 * The one place of the kernel's flags: constants under the names of its headers, by family, each of which prints values by
 * these names. Tests hold them against the headers of both architectures, and find flags that are written elsewhere. Written
 * out, for loading the generated ones, thousands in one class, would cost every JVM tens of milliseconds.
 */
@NullMarked
package dev.caisson.linux.flag;

import org.jspecify.annotations.NullMarked;

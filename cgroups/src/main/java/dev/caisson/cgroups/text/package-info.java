// SPDX-License-Identifier: Apache-2.0
/** The notations of the kernel's files, read and written; no file is opened here. */
@NullMarked
package dev.caisson.cgroups.text;

import org.jspecify.annotations.NullMarked;

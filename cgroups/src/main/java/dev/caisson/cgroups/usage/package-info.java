// SPDX-License-Identifier: Apache-2.0
/** Reads the files that tell what is used. Read {@link dev.caisson.cgroups.usage.Reading} first. */
@NullMarked
package dev.caisson.cgroups.usage;

import org.jspecify.annotations.NullMarked;

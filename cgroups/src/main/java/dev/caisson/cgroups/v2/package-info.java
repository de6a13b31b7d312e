// SPDX-License-Identifier: Apache-2.0
/** Limits as the files of cgroup version 2. Read {@link dev.caisson.cgroups.v2.V2Writes} first. */
@NullMarked
package dev.caisson.cgroups.v2;

import org.jspecify.annotations.NullMarked;

// SPDX-License-Identifier: Apache-2.0
/** Limits as the files of cgroup version 1. Read {@link dev.caisson.cgroups.v1.V1Writes} first. */
@NullMarked
package dev.caisson.cgroups.v1;

import org.jspecify.annotations.NullMarked;

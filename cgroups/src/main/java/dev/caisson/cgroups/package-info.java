// SPDX-License-Identifier: Apache-2.0

/**
 * Control groups: create one, apply limits, read usage, freeze and kill what is in it.
 * Read {@code Cgroup} first.
 */
@NullMarked
package dev.caisson.cgroups;

import org.jspecify.annotations.NullMarked;

// SPDX-License-Identifier: Apache-2.0
/** Where cgroups are: the hierarchies of this machine, and where new ones are made. Read {@link dev.caisson.cgroups.hierarchy.CgroupMounts} first. */
@NullMarked
package dev.caisson.cgroups.hierarchy;

import org.jspecify.annotations.NullMarked;

// SPDX-License-Identifier: Apache-2.0
/** Where cgroups are mounted and what is written into their files. Read {@link dev.caisson.cgroups.file.CgroupMounts} first. */
@NullMarked
package dev.caisson.cgroups.file;

import org.jspecify.annotations.NullMarked;

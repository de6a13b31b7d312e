// SPDX-License-Identifier: Apache-2.0
/** The processes of cgroups, and the removal of those that have any. Read {@link dev.caisson.cgroups.process.Tasks} first. */
@NullMarked
package dev.caisson.cgroups.process;

import org.jspecify.annotations.NullMarked;

// SPDX-License-Identifier: Apache-2.0
/** Whose limit the out-of-memory killer acted for. Read {@link dev.caisson.cgroups.oom.OutOfMemoryCause} first. */
@NullMarked
package dev.caisson.cgroups.oom;

import org.jspecify.annotations.NullMarked;

// SPDX-License-Identifier: Apache-2.0
/** How a child of this JVM comes into a cgroup at its birth; for our own modules. */
@NullMarked
package dev.caisson.cgroups.entry;

import org.jspecify.annotations.NullMarked;

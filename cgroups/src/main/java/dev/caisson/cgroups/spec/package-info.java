// SPDX-License-Identifier: Apache-2.0
/** The values of this module: what is asked for and what is used. Read {@link dev.caisson.cgroups.spec.Limits} first. */
@NullMarked
package dev.caisson.cgroups.spec;

import org.jspecify.annotations.NullMarked;

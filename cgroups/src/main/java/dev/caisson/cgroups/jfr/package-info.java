// SPDX-License-Identifier: Apache-2.0

/** Events of the JDK Flight Recorder; read {@link dev.caisson.cgroups.jfr.FlightEvents} first. */
@NullMarked
package dev.caisson.cgroups.jfr;

import org.jspecify.annotations.NullMarked;

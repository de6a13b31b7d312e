// SPDX-License-Identifier: Apache-2.0

/**
 * What the JVM does for a launch: before the clone, at its gates, and with what comes of it. Read {@link
 * dev.caisson.engine.Engine} first, then {@link dev.caisson.engine.ParentSteps}, which lists what happens.
 */
@NullMarked
package dev.caisson.engine;

import org.jspecify.annotations.NullMarked;

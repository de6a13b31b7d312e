// SPDX-License-Identifier: Apache-2.0
/**
 * From a description to system calls: {@link dev.caisson.launch.ContainerSpec} is what the builder collected, {@link
 * dev.caisson.launch.LaunchPlan} turns it into a program by pure code, one {@code *Steps} class per part of the launch,
 * and {@link dev.caisson.launch.ParentSide} is what the JVM does meanwhile.
 */
@NullMarked
package dev.caisson.launch;

import org.jspecify.annotations.NullMarked;

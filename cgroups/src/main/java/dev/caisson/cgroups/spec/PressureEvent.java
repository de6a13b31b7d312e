// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

/**
 * More time than asked for was lost by waiting.
 *
 * @param trigger what was asked for
 * @param times how often since the last event; more than once if the subscriber was slow
 * @param now the averages when it happened last
 */
public record PressureEvent(Pressure trigger, long times, Usage.Stall now) {}

// SPDX-License-Identifier: Apache-2.0

/**
 * One file for each job a user has, each a subcommand of the runnable jar.
 * Read {@link dev.caisson.examples.Main} first.
 */
@NullMarked
package dev.caisson.examples;

import org.jspecify.annotations.NullMarked;

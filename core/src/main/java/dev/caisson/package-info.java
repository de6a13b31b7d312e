// SPDX-License-Identifier: Apache-2.0

/**
 * Linux containers as Java objects: describe one, start it, watch it, stop it.
 * Read {@code Container} first.
 */
@NullMarked
package dev.caisson;

import org.jspecify.annotations.NullMarked;

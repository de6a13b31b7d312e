// SPDX-License-Identifier: Apache-2.0
/**
 * The values that describe a container: mounts, namespaces, capabilities, ids, limits of a process. Start with {@link
 * dev.caisson.spec.Mount}; all of them are immutable and check themselves.
 */
@NullMarked
package dev.caisson.spec;

import org.jspecify.annotations.NullMarked;

// SPDX-License-Identifier: Apache-2.0
/** Paths inside a container, which are strings and never resolved on the host. */
@NullMarked
package dev.caisson.path;

import org.jspecify.annotations.NullMarked;

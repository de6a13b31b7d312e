// SPDX-License-Identifier: Apache-2.0

/**
 * How a layer says that something is not there, hides what is below, or came from elsewhere: the only place that knows these
 * encodings. Read {@link dev.caisson.overlay.mark.MarkReader} first.
 */
@NullMarked
package dev.caisson.overlay.mark;

import org.jspecify.annotations.NullMarked;

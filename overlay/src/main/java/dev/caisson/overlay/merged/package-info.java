// SPDX-License-Identifier: Apache-2.0

/**
 * Merged layers read without a mount: whiteouts, opaque directories, redirects and metacopies followed as the kernel follows
 * them, and compared with what lies over them. Read {@link dev.caisson.overlay.merged.Below} first.
 */
@NullMarked
package dev.caisson.overlay.merged;

import org.jspecify.annotations.NullMarked;

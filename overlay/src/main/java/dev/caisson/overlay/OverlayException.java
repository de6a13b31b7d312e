// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay;

import java.io.IOException;

/**
 * An overlay could not be mounted. The message has the refused call, the kernel's own words where it had any, the likely
 * cause by name of directory and file system, and a remedy; the cause is a {@link dev.caisson.linux.LinuxException}.
 */
public final class OverlayException extends IOException {
    private static final long serialVersionUID = 1L;

    OverlayException(String message, IOException cause) {
        super(message, cause);
    }
}

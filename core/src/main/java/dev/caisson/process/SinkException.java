// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import java.io.IOException;

/** A place that a command's output goes to takes no more, so the command was ended. */
public final class SinkException extends IOException {
    private static final long serialVersionUID = 1;

    SinkException(String what, Throwable why) {
        super(what + ", so the container was ended: " + why, why);
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import java.io.IOException;

/** The JVM has no memory for what a command writes, so the command was ended. */
public final class OutputLostException extends IOException {
    private static final long serialVersionUID = 1;

    OutputLostException(Throwable why) {
        super(
                "the JVM has no memory for the container's output, so it was ended: " + why
                        + "; give Stdio.memory a smaller cap, read a pipe, or raise -Xmx",
                why);
    }
}

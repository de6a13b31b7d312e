// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A launch that failed, and at which step. */
public final class LaunchException extends IOException {
    private static final long serialVersionUID = 1L;

    private final String step;

    /** @param step the purpose of the step that failed; empty if no step of the plan did */
    LaunchException(String message, String step, @Nullable Throwable cause) {
        super(message, cause);
        this.step = step;
    }

    /** {@return the purpose of the step that failed; empty if no step of the plan did} */
    public String step() {
        return step;
    }
}

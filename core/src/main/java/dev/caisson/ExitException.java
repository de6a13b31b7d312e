// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.cgroups.spec.OutOfMemory;
import java.util.Optional;

/** A command ran and did not end with success. Thrown only when asked for, by {@code orThrow()}. */
public final class ExitException extends ContainerException {
    private static final long serialVersionUID = 1L;
    private static final int SHOWN = 2000;

    private final transient Exit exit;

    ExitException(Exit exit, Optional<OutOfMemory> outOfMemory, String stderr) {
        super(
                "the command ended with " + exit
                        // As a reason it is said already; it may have hit others in the container alone.
                        + outOfMemory
                                .filter(_ -> !(exit instanceof Exit.Killed(var _, Exit.OutOfMemory(var _))))
                                .map(o -> "; " + o)
                                .orElse("")
                        + (stderr.isBlank() ? "" : "; its last words: " + tail(stderr.strip())),
                "",
                null);
        this.exit = exit;
    }

    private static String tail(String text) {
        return text.length() <= SHOWN ? text : "..." + text.substring(text.length() - SHOWN);
    }

    /** {@return how it ended} */
    public Exit exit() {
        return exit;
    }
}

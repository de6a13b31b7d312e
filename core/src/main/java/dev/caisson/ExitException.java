// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

/** A command ran and did not end with success. Thrown only when asked for, by {@code orThrow()}. */
public final class ExitException extends ContainerException {
    private static final long serialVersionUID = 1L;
    private static final int SHOWN = 2000;

    private final transient Exit exit;

    ExitException(Exit exit, String stderr) {
        super(
                "the command ended with " + exit
                        + (stderr.isBlank() ? "" : "; its last words: " + tail(stderr.strip())),
                "",
                null);
        this.exit = exit;
    }

    private static String tail(String text) {
        return text.length() <= SHOWN ? text : "..." + text.substring(text.length() - SHOWN);
    }

    public Exit exit() {
        return exit;
    }
}

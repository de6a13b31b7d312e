// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.profile;

import java.io.IOException;

/** A profile that cannot be understood; the message begins with the line and the field. */
public final class ProfileException extends IOException {
    private static final long serialVersionUID = 1L;

    ProfileException(int line, String field, String what) {
        super("line " + line + (field.isEmpty() ? "" : ", " + field) + ": " + what);
    }

    ProfileException(String what) {
        super(what);
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A cgroup cannot be made, changed or removed, or a limit not be enforced. The message names the option, the cause and a remedy. */
public final class CgroupException extends IOException {
    private static final long serialVersionUID = 1L;

    private final Reason reason;
    private final String option;

    /** What is in the way. */
    public enum Reason {
        /** No hierarchy here has the controller, or it does not come down to where the cgroup is. */
        MISSING_CONTROLLER,
        /** The version of cgroups that has the controller here has no such limit. */
        NOT_IN_THIS_VERSION,
        /** The kernel lacks the file. */
        MISSING_FILE,
        /** The cgroup does not belong to this user. */
        NOT_DELEGATED,
        /** The cgroup file system is mounted read-only. */
        READ_ONLY,
        /** A cgroup has processes and should have children with controllers. */
        INTERNAL_PROCESSES,
        /** Something in the cgroup still runs, or is in use. */
        BUSY,
        /** The limit is less than what is used already. */
        BELOW_USAGE,
        /** Somebody removed the cgroup. */
        VANISHED,
        /** There is a cgroup of that name already. */
        EXISTS,
        /** The kernel does not accept the value. */
        REFUSED
    }

    /** @param option the setting, as users write it */
    public CgroupException(Reason reason, String option, String message, @Nullable Throwable cause) {
        super(option + ": " + message, cause);
        this.reason = reason;
        this.option = option;
    }

    /** {@return what is in the way} */
    public Reason reason() {
        return reason;
    }

    /** {@return the setting that could not be carried out} */
    public String option() {
        return option;
    }
}

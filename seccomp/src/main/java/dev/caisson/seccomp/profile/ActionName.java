// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.profile;

import dev.caisson.linux.Errno;
import dev.caisson.seccomp.Action;
import java.util.Optional;
import java.util.OptionalInt;

/** The actions' names in JSON. */
final class ActionName {
    private ActionName() {}

    /** {@return the action of a name; without an errnoRet it is EPERM, as in runc} Empty if the name is unknown. */
    static Optional<Action> parse(String name, OptionalInt errnoRet) {
        int errno = errnoRet.orElse(Errno.EPERM.code());
        return Optional.ofNullable(
                switch (name) {
                    case "SCMP_ACT_ALLOW" -> Action.allow();
                    case "SCMP_ACT_ERRNO" -> new Action.Fail(errno);
                    case "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD" -> Action.killThread();
                    case "SCMP_ACT_KILL_PROCESS" -> Action.killProcess();
                    case "SCMP_ACT_TRAP" -> Action.trap();
                    case "SCMP_ACT_TRACE" -> Action.trace(errno);
                    case "SCMP_ACT_LOG" -> Action.log();
                    case "SCMP_ACT_NOTIFY" -> Action.supervise();
                    default -> null;
                });
    }

    static String of(Action action) {
        return switch (action) {
            case Action.Allow _ -> "SCMP_ACT_ALLOW";
            case Action.Fail _ -> "SCMP_ACT_ERRNO";
            case Action.KillThread _ -> "SCMP_ACT_KILL_THREAD";
            case Action.KillProcess _ -> "SCMP_ACT_KILL_PROCESS";
            case Action.Trap(int data) -> {
                if (data != 0) {
                    throw new IllegalArgumentException("trap: JSON has no data for it, and here it has " + data);
                }
                yield "SCMP_ACT_TRAP";
            }
            case Action.Trace _ -> "SCMP_ACT_TRACE";
            case Action.Log _ -> "SCMP_ACT_LOG";
            case Action.Notify _ -> "SCMP_ACT_NOTIFY";
        };
    }

    static OptionalInt errnoRet(Action action) {
        return switch (action) {
            case Action.Fail(int errno) -> OptionalInt.of(errno);
            case Action.Trace(int data) -> OptionalInt.of(data);
            default -> OptionalInt.empty();
        };
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import java.util.Optional;

/**
 * What a policy says of a system call.
 *
 * @param rule the rule that decided; empty if none did
 * @param reason in words
 */
public record Verdict(Action action, Optional<Rule> rule, String reason) {
    @Override
    public String toString() {
        return action.text() + ": " + reason;
    }
}

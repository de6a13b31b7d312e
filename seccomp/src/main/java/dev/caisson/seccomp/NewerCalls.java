// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

/**
 * What becomes of system calls that are newer than a policy. A program that probes for a new call falls back to an older one
 * if it hears ENOSYS, but not if it hears EPERM; so a policy whose default refuses answers ENOSYS for them.
 */
public enum NewerCalls {
    /** ENOSYS for numbers above the highest that a rule names, per architecture, as runc does; the rule of profiles. */
    ENOSYS_PAST_NAMED,
    /** ENOSYS for numbers above those this version of Caisson knows; the rule of policies written in Java. */
    ENOSYS_PAST_KNOWN,
    /** As all calls that no rule names. */
    AS_OTHERWISE
}

// SPDX-License-Identifier: Apache-2.0

/**
 * Seccomp profiles as Docker and the OCI runtime specification write them in JSON.
 * Read {@link dev.caisson.seccomp.profile.SeccompProfile} first.
 */
@NullMarked
package dev.caisson.seccomp.profile;

import org.jspecify.annotations.NullMarked;

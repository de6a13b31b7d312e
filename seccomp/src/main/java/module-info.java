// SPDX-License-Identifier: Apache-2.0

/** Seccomp filters as immutable policies. */
module dev.caisson.seccomp {
    requires static com.google.errorprone.annotations;
    requires transitive dev.caisson.linux;
    requires static transitive org.jspecify;

    exports dev.caisson.seccomp;
}

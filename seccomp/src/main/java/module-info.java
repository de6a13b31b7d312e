// SPDX-License-Identifier: Apache-2.0

/** Seccomp filters as immutable policies. */
@SuppressWarnings("module") // The module named in the qualified export is built after this one.
module dev.caisson.seccomp {
    requires static com.google.errorprone.annotations;
    requires transitive dev.caisson.linux;
    requires static org.jspecify;
    requires jdk.jfr;
    requires tools.jackson.core;

    exports dev.caisson.seccomp;
    exports dev.caisson.seccomp.learning;
    exports dev.caisson.seccomp.notify to
            dev.caisson;
    exports dev.caisson.seccomp.profile;
}

// SPDX-License-Identifier: Apache-2.0

/** Seccomp filters as immutable policies. */
module dev.caisson.seccomp {
    requires static transitive com.google.errorprone.annotations;
    requires transitive dev.caisson.linux;
    requires static transitive org.jspecify;
    requires tools.jackson.core;

    exports dev.caisson.seccomp;
    exports dev.caisson.seccomp.bpf;
    exports dev.caisson.seccomp.profile;
}

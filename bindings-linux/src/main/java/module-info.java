// SPDX-License-Identifier: Apache-2.0

/** Linux for Java: kernel values, system calls as data, the launch engine. */
@SuppressWarnings("module") // The modules named in qualified exports are built after this one.
module dev.caisson.linux {
    requires static com.google.errorprone.annotations;
    requires static org.jspecify;

    exports dev.caisson.linux;
    exports dev.caisson.linux.call to
            dev.caisson,
            dev.caisson.cgroups,
            dev.caisson.overlay,
            dev.caisson.seccomp;
    exports dev.caisson.linux.child to
            dev.caisson,
            dev.caisson.cgroups,
            dev.caisson.overlay,
            dev.caisson.seccomp;
    exports dev.caisson.linux.flag to
            dev.caisson,
            dev.caisson.cgroups,
            dev.caisson.overlay,
            dev.caisson.seccomp;
    exports dev.caisson.linux.mount to
            dev.caisson,
            dev.caisson.overlay;
    exports dev.caisson.linux.sys to
            dev.caisson,
            dev.caisson.cgroups,
            dev.caisson.overlay,
            dev.caisson.seccomp;
}

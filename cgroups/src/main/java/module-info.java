// SPDX-License-Identifier: Apache-2.0

/** Control groups: limits, usage, freeze, kill. */
@SuppressWarnings("module") // The module named in a qualified export is built after this one.
module dev.caisson.cgroups {
    requires static com.google.errorprone.annotations;
    requires transitive dev.caisson.linux;
    requires jdk.jfr;
    requires static org.jspecify;

    exports dev.caisson.cgroups;
    exports dev.caisson.cgroups.entry to
            dev.caisson;
    exports dev.caisson.cgroups.hierarchy to
            dev.caisson;
    exports dev.caisson.cgroups.spec;
}

// SPDX-License-Identifier: Apache-2.0

/** Linux containers as plain Java objects. */
@SuppressWarnings("requires-automatic") // Immutables has no module descriptor.
module dev.caisson {
    requires static com.google.errorprone.annotations;
    requires transitive dev.caisson.cgroups;
    requires transitive dev.caisson.linux;
    requires transitive dev.caisson.overlay;
    requires transitive dev.caisson.seccomp;
    requires static java.compiler;
    requires static org.immutables.value.annotations;
    requires static org.jspecify;

    exports dev.caisson;
    exports dev.caisson.spec;
}

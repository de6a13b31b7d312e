// SPDX-License-Identifier: Apache-2.0

/** Layered root file systems by overlayfs. */
@SuppressWarnings("module") // The modules named in qualified exports are built after this one.
module dev.caisson.overlay {
    requires static com.google.errorprone.annotations;
    requires transitive dev.caisson.linux;
    requires static org.jspecify;

    exports dev.caisson.overlay;
    exports dev.caisson.overlay.changes;
    exports dev.caisson.overlay.store;
    exports dev.caisson.overlay.mark to
            dev.caisson;
    exports dev.caisson.overlay.mount to
            dev.caisson;
    exports dev.caisson.overlay.tree to
            dev.caisson;
}

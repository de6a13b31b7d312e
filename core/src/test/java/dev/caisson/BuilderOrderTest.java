// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.ByteUnit;
import dev.caisson.overlay.OverlayFallback;
import dev.caisson.overlay.OverlayOptions;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Settings of a builder are independent fields: the order in which they are made says nothing. */
class BuilderOrderTest {
    private static final Path A = Path.of("/usr");
    private static final Path B = Path.of("/etc");
    private static final Path UPPER = Path.of("/srv/upper");

    @Test
    void anUpperIsKeptWhenTheLayersAreNamedAnew() {
        assertEquals(
                Container.builder().lower(B).upper(UPPER),
                Container.builder().lower(A).upper(UPPER).lower(B));
    }

    @Test
    void anUpperMayComeBeforeTheLayers() {
        assertEquals(
                Container.builder().lower(A).upper(UPPER),
                Container.builder().upper(UPPER).lower(A));
    }

    @Test
    void whatSaysHowLayersAreMergedMayComeBeforeThem() {
        var options = OverlayOptions.defaults().index(OverlayOptions.Index.ON);
        assertEquals(
                Container.builder()
                        .lower(A)
                        .upperSize(1, ByteUnit.MB)
                        .overlayOptions(options)
                        .overlayFallback(OverlayFallback.any(UPPER)),
                Container.builder()
                        .overlayFallback(OverlayFallback.any(UPPER))
                        .overlayOptions(options)
                        .upperSize(1, ByteUnit.MB)
                        .lower(A));
    }

    @Test
    void theLastRootCounts() {
        assertEquals(Container.builder().rootfs(A), Container.builder().lower(B).rootfs(A));
        assertEquals(Container.builder().lower(B), Container.builder().rootfs(A).lower(B));
    }

    @Test
    void anUpperWithoutLayersContradictsTheRoot() {
        var refused = assertThrows(
                IllegalStateException.class,
                () -> Container.builder().rootfs(A).upper(UPPER).explain("true"));
        assertTrue(refused.getMessage().startsWith("upper contradicts rootfs"), refused.getMessage());
    }

    @Test
    void aSizeOfAnUpperOnDiskIsAContradiction() {
        var refused = assertThrows(
                IllegalStateException.class,
                () -> Container.builder()
                        .lower(A)
                        .upperSize(1, ByteUnit.MB)
                        .upper(UPPER)
                        .explain("true"));
        assertTrue(refused.getMessage().startsWith("upperSize contradicts upper"), refused.getMessage());
    }
}

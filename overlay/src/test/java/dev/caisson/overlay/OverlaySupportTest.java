// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.overlay.OverlayOptions.Durability;
import dev.caisson.overlay.OverlayOptions.Index;
import dev.caisson.overlay.OverlayOptions.Metacopy;
import dev.caisson.overlay.OverlayOptions.Verity;
import dev.caisson.overlay.OverlayOptions.Xino;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What each option changes, where this kernel and file system have it. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class OverlaySupportTest {
    @TempDir
    Path temporary;

    private OverlaySupport support;
    private Path lower;

    @BeforeEach
    void probe() throws IOException {
        support = OverlaySupport.probe(temporary);
        lower = Files.createDirectory(temporary.resolve("lower"));
    }

    private Overlay with(String option, OverlayOptions options) {
        Need.OVERLAY_OPTION.orSkip(
                support.works(option), option + ": " + support.refusals().get(option));
        return Overlay.of(lower).withUpper(temporary.resolve("upper")).withOptions(options);
    }

    @Test
    void probingLeavesNothingAndNamesRefusals() throws Exception {
        try (var list = Files.list(temporary)) {
            assertEquals(1, list.count());
        }
        assertTrue(support.works("defaults"), support::toString);
        assertThrows(IllegalArgumentException.class, () -> support.works("sorcery"));
        var onProc = assertThrows(IOException.class, () -> OverlaySupport.probe(Path.of("/proc")));
        assertTrue(String.valueOf(onProc.getMessage()).contains("/proc"), onProc.getMessage());
    }

    @Test
    void withMetacopyAChangeOfModeCopiesNoContent() throws Exception {
        Path big = Files.write(lower.resolve("big"), new byte[4 << 20]);
        var overlay = with("metacopy=on", OverlayOptions.defaults().metacopy(Metacopy.ON));
        try (var mount = overlay.mount()) {
            Files.setAttribute(mount.path().resolve("big"), "unix:mode", 0100600);
            assertEquals(4 << 20, Files.size(mount.path().resolve("big")));
            assertTrue(overlay.upperSize().bytes() < 1 << 20, () -> "copied");
        }
        assertEquals(0, Files.readAllBytes(big)[0]);
    }

    @Test
    void withIndexNamesOfOneFileStayNamesOfOneFile() throws Exception {
        Files.writeString(lower.resolve("a"), "old");
        Files.createLink(lower.resolve("b"), lower.resolve("a"));
        var overlay = with("index=on", OverlayOptions.defaults().index(Index.ON));
        try (var mount = overlay.mount()) {
            Files.writeString(mount.path().resolve("a"), "new");
            assertEquals("new", Files.readString(mount.path().resolve("b")));
        }
        try (var mount = Overlay.of(lower)
                .withOptions(OverlayOptions.defaults().index(Index.OFF))
                .mount()) {
            Files.writeString(mount.path().resolve("a"), "new");
            assertEquals("old", Files.readString(mount.path().resolve("b")));
        }
    }

    @Test
    void withXinoAnInodeStaysWhenItIsCopiedUp() throws Exception {
        Files.writeString(lower.resolve("file"), "old");
        try (var mount =
                with("xino=on", OverlayOptions.defaults().xino(Xino.ON)).mount()) {
            Path file = mount.path().resolve("file");
            var before = Files.getAttribute(file, "unix:ino");
            Files.writeString(file, "new");
            assertEquals(before, Files.getAttribute(file, "unix:ino"));
            assertEquals(Files.getAttribute(mount.path(), "unix:dev"), Files.getAttribute(file, "unix:dev"));
        }
    }

    @Test
    void volatileUppersAreMarked() throws Exception {
        var overlay = with("volatile", OverlayOptions.defaults().durability(Durability.VOLATILE));
        overlay.mount().close();
        assertTrue(Files.exists(temporary.resolve("upper.work/work/incompat/volatile")));
    }

    @Test
    void withVerityRequiredAFileWithoutDigestIsNotCopiedByMetadata() throws Exception {
        Files.write(lower.resolve("big"), new byte[1 << 20]);
        var overlay = with(
                "verity=on", OverlayOptions.defaults().metacopy(Metacopy.ON).verity(Verity.REQUIRE));
        try (var mount = overlay.mount()) {
            Files.setAttribute(mount.path().resolve("big"), "unix:mode", 0100600);
            assertTrue(overlay.upperSize().bytes() >= 1 << 20, "its content was to be copied");
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.flag.ResolveFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileStatus;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.EnumSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(NoLeaks.class)
class TreeCopyTest {
    private static final EnumSet<TreeCopy.Option> EVERYTHING =
            EnumSet.of(TreeCopy.Option.RECURSIVE, TreeCopy.Option.TIMES, TreeCopy.Option.WHAT_IS_ALLOWED);

    @TempDir
    Path directory;

    private Fd top() throws LinuxException {
        return dev.caisson.linux.sys.Files.open(directory.toString(), OpenFlags.O_PATH, 0);
    }

    private static byte[] name(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private void copy(String from, String to, EnumSet<TreeCopy.Option> options) throws LinuxException {
        try (var top = top()) {
            TreeCopy.copy(top, name(from), top, name(to), options);
        }
    }

    @Test
    void aTreeIsCopiedWithAllThatIsInIt() throws Exception {
        Path from = Files.createDirectories(directory.resolve("from/sub/deeper"));
        Files.writeString(from.resolve("f"), "text");
        Files.createLink(directory.resolve("from/same"), from.resolve("f"));
        Files.createSymbolicLink(directory.resolve("from/dangling"), Path.of("/no/such"));
        Files.setAttribute(from.resolve("f"), "unix:mode", 0751);
        Files.setAttribute(from.resolve("f"), "user:note", name("kept"));
        Files.setLastModifiedTime(from, FileTime.from(Instant.ofEpochSecond(77)));
        copy("from", "to", EVERYTHING);
        Path to = directory.resolve("to");
        assertEquals("text", Files.readString(to.resolve("sub/deeper/f")));
        assertTrue(Files.isSameFile(to.resolve("same"), to.resolve("sub/deeper/f")));
        assertFalse(Files.isSameFile(to.resolve("same"), from.resolve("f")));
        assertEquals(Path.of("/no/such"), Files.readSymbolicLink(to.resolve("dangling")));
        assertEquals(0751, (int) Files.getAttribute(to.resolve("same"), "unix:mode") & 07777);
        assertArrayEquals(name("kept"), (byte[]) Files.getAttribute(to.resolve("same"), "user:note"));
        assertEquals(77, Files.getLastModifiedTime(to.resolve("sub/deeper")).to(TimeUnit.SECONDS));
    }

    @Test
    void holesStayHoles() throws Exception {
        try (var file = new RandomAccessFile(directory.resolve("sparse").toFile(), "rw")) {
            file.seek(50 << 20);
            file.write(1);
            file.setLength(100 << 20);
        }
        copy("sparse", "copy", EVERYTHING);
        try (var top = top()) {
            var status = FileStatus.of(top, name("copy"));
            assertEquals(100 << 20, status.size());
            assertTrue(status.blocks() * 512 < 1 << 20, status.blocks() + " blocks");
        }
        assertEquals(-1, Files.mismatch(directory.resolve("sparse"), directory.resolve("copy")));
    }

    @Test
    void whatIsThereIsReplacedOnlyIfAsked() throws Exception {
        Files.createDirectories(directory.resolve("from"));
        Files.writeString(directory.resolve("from/f"), "new");
        Files.createDirectories(directory.resolve("to"));
        Files.writeString(directory.resolve("to/f"), "old");
        Files.writeString(directory.resolve("to/other"), "stays");
        var refusal = assertThrows(LinuxException.class, () -> copy("from", "to", EVERYTHING));
        assertEquals(Errno.EEXIST, refusal.errno());
        var replacing = EnumSet.copyOf(EVERYTHING);
        replacing.add(TreeCopy.Option.REPLACE);
        copy("from", "to", replacing);
        assertEquals("new", Files.readString(directory.resolve("to/f")));
        assertEquals("stays", Files.readString(directory.resolve("to/other")));
    }

    @NeedsRoot
    @Test
    void ownersDevicesAndSetUserIdBitsAreKeptWhereAsked() throws Exception {
        Files.createDirectory(directory.resolve("from"));
        Files.createFile(directory.resolve("from/f"));
        Files.setAttribute(directory.resolve("from/f"), "unix:uid", 4711);
        Files.setAttribute(directory.resolve("from/f"), "unix:mode", 04755);
        try (var top = top()) {
            At.makeNode(top, name("from/null"), FileStatus.Type.CHARACTER_DEVICE.bits() | 0600, 1 << 8 | 3);
        }
        copy("from", "owned", EnumSet.of(TreeCopy.Option.RECURSIVE, TreeCopy.Option.OWNER));
        assertEquals(4711, Files.getAttribute(directory.resolve("owned/f"), "unix:uid"));
        assertEquals(04755, (int) Files.getAttribute(directory.resolve("owned/f"), "unix:mode") & 07777);
        assertEquals(
                Files.getAttribute(Path.of("/dev/null"), "unix:rdev"),
                Files.getAttribute(directory.resolve("owned/null"), "unix:rdev"));
        var refusal = assertThrows(
                LinuxException.class, () -> copy("from", "refused", EnumSet.of(TreeCopy.Option.RECURSIVE)));
        assertTrue(refusal.getMessage().contains("device"), refusal.getMessage());
        Files.delete(directory.resolve("from/null"));
        copy("from", "plain", EnumSet.of(TreeCopy.Option.RECURSIVE));
        assertEquals(0, Files.getAttribute(directory.resolve("plain/f"), "unix:uid"));
        assertEquals(0755, (int) Files.getAttribute(directory.resolve("plain/f"), "unix:mode") & 07777);
    }

    @Test
    void filesOfProcAreCopiedWhereThatIsAskedThoughTheirSizeIsZero() throws Exception {
        try (var proc = dev.caisson.linux.sys.Files.open("/proc/self", OpenFlags.O_PATH, 0);
                var top = top()) {
            assertThrows(
                    LinuxException.class,
                    () -> TreeCopy.copy(
                            proc, name("status"), top, name("status"), EnumSet.noneOf(TreeCopy.Option.class)));
            TreeCopy.copy(proc, name("status"), top, name("status"), EnumSet.of(TreeCopy.Option.KERNEL_FILES));
        }
        assertTrue(Files.readString(directory.resolve("status")).contains("VmRSS"));
    }

    @Test
    void aTreeDeeperThanAnyPathIsRemoved() throws Exception {
        byte[] name = name("d".repeat(100));
        try (var top = top()) {
            At.makeDirectory(top, name("deep"), 0700);
            Fd here = At.open(top, name("deep"), OpenFlags.O_DIRECTORY, 0, ResolveFlags.RESOLVE_BENEATH);
            for (int i = 0; i < 2000; i++) {
                At.makeDirectory(here, name, 0700);
                At.makeNode(here, name("f"), FileStatus.Type.FILE.bits() | 0400, 0);
                try (var above = here) {
                    here = At.open(above, name, OpenFlags.O_DIRECTORY, 0, ResolveFlags.RESOLVE_BENEATH);
                }
            }
            here.close();
            var refusal = assertThrows(LinuxException.class, () -> copy("deep", "copy", EVERYTHING));
            assertEquals(Errno.ENAMETOOLONG, refusal.errno());
            TreeRemoval.remove(top, name("deep"));
            TreeRemoval.remove(top, name("copy"));
        }
        assertFalse(Files.exists(directory.resolve("deep"), LinkOption.NOFOLLOW_LINKS));
    }

    @Test
    void aRemovalTakesLinksAndNotWhatTheyLeadTo() throws Exception {
        Files.createDirectories(directory.resolve("kept/x"));
        Files.createDirectory(directory.resolve("gone"));
        Files.createSymbolicLink(directory.resolve("gone/link"), directory.resolve("kept"));
        Files.setAttribute(directory.resolve("gone"), "unix:mode", 0);
        try (var top = top()) {
            TreeRemoval.remove(top, name("gone"));
            TreeRemoval.remove(top, name("never was"));
        }
        assertFalse(Files.exists(directory.resolve("gone")));
        assertTrue(Files.exists(directory.resolve("kept/x")));
    }
}

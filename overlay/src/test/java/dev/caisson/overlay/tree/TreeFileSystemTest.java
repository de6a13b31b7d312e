// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import static java.nio.file.StandardOpenOption.APPEND;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.DELETE_ON_CLOSE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.ClosedFileSystemException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.NotLinkException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(NoLeaks.class)
class TreeFileSystemTest {
    @TempDir
    Path directory;

    private Path root;
    private TreeFileSystem files;

    @BeforeEach
    void open() throws IOException {
        root = Files.createDirectory(directory.resolve("root"));
        Files.writeString(directory.resolve("outside"), "secret");
        files = TreeFileSystem.of(root);
    }

    @AfterEach
    void close() {
        files.close();
    }

    private Path in(String path) {
        return files.getPath(path);
    }

    // What every file system does.

    @Test
    void whatIsWrittenIsThere() throws IOException {
        Files.createDirectories(in("/a/b"));
        Files.writeString(in("/a/b/file"), "hello");
        assertEquals("hello", Files.readString(root.resolve("a/b/file")));
        assertEquals("hello", Files.readString(in("a/b/file")));
        Files.writeString(in("/a/b/file"), " again", APPEND);
        assertEquals("hello again", Files.readString(in("/a/../a/./b//file")));
        Files.writeString(in("/a/b/file"), "x");
        assertEquals(1, Files.size(in("/a/b/file")));
    }

    @Test
    void channelsAreFullFileChannels() throws IOException {
        try (var channel = FileChannel.open(in("/f"), READ, WRITE, CREATE_NEW)) {
            channel.write(ByteBuffer.wrap("0123456789".getBytes(StandardCharsets.UTF_8)));
            channel.position(3);
            var two = ByteBuffer.allocate(2);
            channel.read(two);
            assertArrayEquals(new byte[] {'3', '4'}, two.array());
            assertEquals('9', channel.map(FileChannel.MapMode.READ_ONLY, 9, 1).get());
            try (var lock = channel.tryLock()) {
                assertTrue(lock.isValid());
            }
        }
        assertThrows(FileAlreadyExistsException.class, () -> FileChannel.open(in("/f"), WRITE, CREATE_NEW));
        assertThrows(NoSuchFileException.class, () -> FileChannel.open(in("/g"), WRITE));
        FileChannel.open(in("/t"), WRITE, CREATE, DELETE_ON_CLOSE).close();
        assertFalse(Files.exists(in("/t")));
    }

    @Test
    void permissionsAreSetOnCreation() throws IOException {
        var secret = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("r--------"));
        Files.createFile(in("/f"), secret);
        assertEquals("r--------", PosixFilePermissions.toString(Files.getPosixFilePermissions(root.resolve("f"))));
        Files.createDirectory(in("/d"), secret);
        assertEquals("r--------", PosixFilePermissions.toString(Files.getPosixFilePermissions(root.resolve("d"))));
    }

    @Test
    void namesAreListedAndWalked() throws IOException {
        Files.createDirectories(in("/a/b"));
        Files.createFile(in("/a/f"));
        Files.createSymbolicLink(in("/a/up"), in(".."));
        try (var walk = Files.walk(in("/"))) {
            assertEquals(
                    List.of("/", "/a", "/a/b", "/a/f", "/a/up"),
                    walk.map(Path::toString).sorted().toList());
        }
        try (var list = Files.newDirectoryStream(in("a"), "[bf]")) {
            var names = new TreeSet<String>();
            list.forEach(p -> names.add(p.toString()));
            assertEquals(List.of("a/b", "a/f"), List.copyOf(names));
        }
        assertThrows(NotDirectoryException.class, () -> Files.newDirectoryStream(in("/a/f")));
    }

    @Test
    void aLargeDirectoryIsReadInBlocks() throws IOException {
        for (int i = 0; i < 3000; i++) {
            Files.createFile(root.resolve("a-rather-long-name-of-a-file-" + i));
        }
        try (var list = Files.list(in("/"))) {
            assertEquals(3000, list.distinct().count());
        }
    }

    @Test
    void filesAreCopiedMovedAndDeleted() throws IOException {
        Files.writeString(in("/one"), "1");
        Files.setLastModifiedTime(in("/one"), FileTime.from(Instant.ofEpochSecond(1_000_000, 123_456_789)));
        Files.copy(in("/one"), in("/two"), StandardCopyOption.COPY_ATTRIBUTES);
        assertEquals(Files.getLastModifiedTime(in("/one")), Files.getLastModifiedTime(in("/two")));
        assertThrows(FileAlreadyExistsException.class, () -> Files.copy(in("/one"), in("/two")));
        Files.writeString(in("/two"), "2");
        Files.copy(in("/two"), in("/one"), StandardCopyOption.REPLACE_EXISTING);
        assertEquals("2", Files.readString(in("/one")));
        assertThrows(FileAlreadyExistsException.class, () -> Files.move(in("/one"), in("/two")));
        Files.writeString(in("/one"), "3");
        Files.move(in("/one"), in("/two"), StandardCopyOption.REPLACE_EXISTING);
        assertEquals("3", Files.readString(in("/two")));
        Files.move(in("/two"), in("/three"), StandardCopyOption.ATOMIC_MOVE);
        Files.createDirectories(in("/d/e"));
        assertThrows(DirectoryNotEmptyException.class, () -> Files.delete(in("/d")));
        Files.delete(in("/d/e"));
        Files.delete(in("/d"));
        Files.delete(in("/three"));
        assertThrows(NoSuchFileException.class, () -> Files.delete(in("/three")));
        try (var list = Files.list(root)) {
            assertEquals(0, list.count());
        }
    }

    @Test
    void filesGoInAndOutOfTheHost() throws IOException {
        byte[] data = new byte[3_000_000];
        new Random(7).nextBytes(data);
        Path host = Files.write(directory.resolve("host"), data);
        Files.copy(host, in("/in"), StandardCopyOption.COPY_ATTRIBUTES);
        Files.copy(in("/in"), directory.resolve("back"));
        assertEquals(-1, Files.mismatch(host, directory.resolve("back")));
        assertEquals(-1, Files.mismatch(host, in("/in")));
    }

    @Test
    void linksAreMadeAndRead() throws IOException {
        Files.writeString(in("/f"), "x");
        Files.createSymbolicLink(in("/s"), in("f"));
        Files.createLink(in("/h"), in("/f"));
        assertEquals("f", Files.readSymbolicLink(in("/s")).toString());
        assertThrows(NotLinkException.class, () -> Files.readSymbolicLink(in("/f")));
        assertTrue(Files.isSameFile(in("/s"), in("/h")));
        assertEquals(2, Files.getAttribute(in("/f"), "unix:nlink"));
        Files.copy(in("/s"), in("/copy"), LinkOption.NOFOLLOW_LINKS);
        assertTrue(Files.isSymbolicLink(in("/copy")));
        Files.copy(in("/s"), in("/copied"));
        assertFalse(Files.isSymbolicLink(in("/copied")));
        assertThrows(
                FileSystemException.class,
                () -> Files.newByteChannel(in("/s"), Set.of(READ, LinkOption.NOFOLLOW_LINKS)));
    }

    @Test
    void attributesAreReadAndSet() throws IOException {
        Files.writeString(in("/f"), "1234");
        Files.setPosixFilePermissions(in("/f"), PosixFilePermissions.fromString("rw-r-----"));
        assertEquals(
                Files.readAttributes(root.resolve("f"), "posix:*").keySet(),
                Files.readAttributes(in("/f"), "posix:*").keySet());
        var mine = Files.readAttributes(in("/f"), "unix:mode,size,ino,uid,ctime,isDirectory");
        var theirs = Files.readAttributes(root.resolve("f"), "unix:mode,size,ino,uid,ctime,isDirectory");
        assertEquals(theirs, mine);
        Files.setAttribute(in("/f"), "unix:mode", 04711);
        assertEquals(04711, (int) Files.getAttribute(root.resolve("f"), "unix:mode") & 07777);
        assertThrows(IllegalArgumentException.class, () -> Files.readAttributes(in("/f"), "posix:nonsense"));
        assertThrows(UnsupportedOperationException.class, () -> Files.readAttributes(in("/f"), "dos:*"));
        Files.createSymbolicLink(in("/s"), in("f"));
        var time = FileTime.from(Instant.ofEpochSecond(5));
        Files.getFileAttributeView(in("/s"), BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                .setTimes(time, time, null);
        assertEquals(time, Files.getLastModifiedTime(root.resolve("s"), LinkOption.NOFOLLOW_LINKS));
        assertFalse(time.equals(Files.getLastModifiedTime(in("/s"))));
    }

    @Test
    void userAttributesAreExact() throws IOException {
        Files.createFile(in("/f"));
        byte[] value = new byte[1000];
        new Random(1).nextBytes(value);
        Files.setAttribute(in("/f"), "user:big", value);
        assertArrayEquals(value, (byte[]) Files.getAttribute(in("/f"), "user:big"));
        var view = Files.getFileAttributeView(in("/f"), UserDefinedFileAttributeView.class);
        view.write("empty", ByteBuffer.allocate(0));
        assertEquals(Set.of("big", "empty"), Set.copyOf(view.list()));
        view.delete("big");
        assertEquals(
                List.of("empty"),
                Files.getFileAttributeView(root.resolve("f"), UserDefinedFileAttributeView.class)
                        .list());
        assertEquals(
                Map.of("empty", List.of()).keySet(),
                Files.readAttributes(in("/f"), "user:*").keySet());
    }

    @NeedsRoot
    @Test
    void ownersAreNumbers() throws IOException {
        Files.createFile(in("/f"));
        var people = files.getUserPrincipalLookupService();
        Files.setOwner(in("/f"), people.lookupPrincipalByName("4711"));
        Files.setAttribute(in("/f"), "posix:group", people.lookupPrincipalByGroupName("12"));
        assertEquals(4711, Files.getAttribute(root.resolve("f"), "unix:uid"));
        assertEquals(12, Files.getAttribute(root.resolve("f"), "unix:gid"));
        assertEquals("4711", Files.getOwner(in("/f")).getName());
        assertThrows(IOException.class, () -> people.lookupPrincipalByName("root"));
    }

    @Test
    void theFileStoreIsThatOfThePath() throws IOException {
        assertEquals(
                Files.getFileStore(root).getTotalSpace(),
                Files.getFileStore(in("/")).getTotalSpace());
    }

    // Names.

    @Test
    void namesOfAnyBytesAreExact() throws Exception {
        byte[] name = {'\n', (byte) 0xff, (byte) 0xed, (byte) 0xa0, (byte) 0x80, ' ', '\\', '*'};
        var path = files.getPath(name);
        Files.writeString(path, "odd");
        try (var list = Files.list(in("/"))) {
            var found = list.toList();
            assertEquals(List.of("/" + path), found.stream().map(Path::toString).toList());
            assertArrayEquals(name, ((TreePath) found.getFirst().getFileName()).bytes());
            assertEquals("odd", Files.readString(in(found.getFirst().toString())));
        }
        // Find's own idea of the name.
        var find = new ProcessBuilder("find", root.toString(), "-mindepth", "1", "-printf", "%f").start();
        assertArrayEquals(name, find.getInputStream().readAllBytes());
        Files.move(path, in("/plain"));
        Files.delete(in("/plain"));
    }

    @Test
    void namesTooLongAreRefusedByTheKernelsWord() {
        var refusal = assertThrows(FileSystemException.class, () -> Files.createFile(in("/" + "x".repeat(256))));
        assertTrue(refusal.getMessage().contains("ENAMETOOLONG"), refusal.getMessage());
    }

    // Attacks.

    @Test
    void noLinkAndNoDotsLeadOut() throws IOException {
        Files.createSymbolicLink(root.resolve("absolute"), directory.resolve("outside"));
        Files.createSymbolicLink(root.resolve("relative"), Path.of("../outside"));
        Files.createSymbolicLink(root.resolve("up"), Path.of("../../../../../../.."));
        for (String path : List.of("/absolute", "relative", "../outside", "/up" + directory + "/outside")) {
            assertThrows(NoSuchFileException.class, () -> Files.readString(in(path)), path);
        }
        // Writing through a link makes the file inside, where the link leads in the root.
        Files.createDirectories(in(directory.toString()));
        Files.writeString(in("/absolute"), "inside");
        assertEquals("secret", Files.readString(directory.resolve("outside")));
        assertEquals("inside", Files.readString(in(directory + "/outside")));
        assertTrue(Files.isSameFile(in("/"), in("/..")));
        assertTrue(Files.isSameFile(in("/"), in("/up")));
        assertEquals("/", in("/up").toRealPath().toString());
    }

    @Test
    void magicLinksOfProcAreRefused() throws IOException {
        try (var host = TreeFileSystem.of(Path.of("/proc"))) {
            var refusal = assertThrows(
                    FileSystemException.class, () -> Files.readString(host.getPath("/self/root/etc/hostname")));
            assertTrue(refusal.getMessage().contains("magic link"), refusal.getMessage());
            assertTrue(Files.isRegularFile(host.getPath("/self/status")));
        }
    }

    @Test
    void aCircleOfLinksIsAnError() throws IOException {
        Files.createSymbolicLink(root.resolve("a"), Path.of("b"));
        Files.createSymbolicLink(root.resolve("b"), Path.of("a"));
        var refusal = assertThrows(FileSystemException.class, () -> Files.readString(in("/a")));
        assertTrue(refusal.getMessage().contains("ELOOP"), refusal.getMessage());
        assertThrows(FileSystemException.class, () -> in("/a").toRealPath());
    }

    @Test
    void aPipeInPlaceOfAFileDoesNotHang() throws Exception {
        assertEquals(
                0,
                new ProcessBuilder("mkfifo", root.resolve("pipe").toString())
                        .start()
                        .waitFor());
        assertTimeoutPreemptively(Duration.ofSeconds(5), () -> {
            var refusal = assertThrows(FileSystemException.class, () -> Files.readString(in("/pipe")));
            assertTrue(refusal.getMessage().contains("pipe"), refusal.getMessage());
            assertThrows(FileSystemException.class, () -> Files.writeString(in("/pipe"), "x"));
        });
        Files.delete(in("/pipe"));
    }

    @Test
    void theRootAndDotsCannotBeMadeOrRemoved() {
        for (String path : List.of("/", ".", "..", "/a/..")) {
            assertThrows(IOException.class, () -> Files.delete(in(path)), path);
            assertThrows(IOException.class, () -> Files.createDirectory(in(path)), path);
            assertThrows(IOException.class, () -> Files.move(in(path), in("/b")), path);
        }
        assertTrue(Files.exists(root));
    }

    @Test
    void anOpenDirectoryStaysTheSameHoweverItIsMoved() throws IOException {
        Files.createDirectories(in("/d/sub"));
        Files.writeString(in("/d/sub/f"), "kept");
        try (var stream = Files.newDirectoryStream(in("/d"))) {
            var secure = assertInstanceOf(SecureDirectoryStream.class, stream);
            Files.move(in("/d"), in("/moved"));
            Files.createSymbolicLink(root.resolve("d"), directory);
            @SuppressWarnings("unchecked")
            var typed = (SecureDirectoryStream<Path>) secure;
            try (var channel = typed.newByteChannel(in("sub/f"), Set.of(READ))) {
                assertEquals(4, channel.size());
            }
            assertThrows(FileSystemException.class, () -> typed.newByteChannel(in("../d/outside"), Set.of(READ)));
            typed.deleteFile(in("sub/f"));
            typed.deleteDirectory(in("sub"));
        }
        assertEquals("secret", Files.readString(directory.resolve("outside")));
        try (var list = Files.list(root.resolve("moved"))) {
            assertEquals(0, list.count());
        }
    }

    @Test
    void aClosedFileSystemSaysSo() throws IOException {
        Files.createFile(in("/f"));
        var path = in("/f");
        files.close();
        assertFalse(files.isOpen());
        assertThrows(ClosedFileSystemException.class, () -> Files.size(path));
        files.close();
    }

    @Test
    void aRootThatIsNoDirectoryIsRefused() {
        assertThrows(NotDirectoryException.class, () -> TreeFileSystem.of(directory.resolve("outside")));
        assertThrows(NoSuchFileException.class, () -> TreeFileSystem.of(directory.resolve("none")));
    }
}

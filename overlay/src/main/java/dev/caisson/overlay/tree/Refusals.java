// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import org.jspecify.annotations.Nullable;

/** The kernel's refusals as the exceptions that users of java.nio.file expect; the refused call is their cause. */
final class Refusals {
    private Refusals() {}

    static IOException of(LinuxException refused, String path) {
        return of(refused, path, null);
    }

    static IOException of(LinuxException refused, String path, @Nullable String other) {
        var errno = refused.errno();
        FileSystemException translated;
        if (errno.equals(Errno.ENOENT)) {
            translated = new NoSuchFileException(path, other, null);
        } else if (errno.equals(Errno.EEXIST)) {
            translated = new FileAlreadyExistsException(path, other, null);
        } else if (errno.equals(Errno.EACCES)) {
            translated = new AccessDeniedException(path, other, errno.description());
        } else if (errno.equals(Errno.ENOTEMPTY)) {
            translated = new DirectoryNotEmptyException(path);
        } else if (errno.equals(Errno.ENOTDIR)) {
            translated = new NotDirectoryException(path);
        } else {
            translated = new FileSystemException(path, other, reason(errno));
        }
        translated.initCause(refused);
        return translated;
    }

    private static String reason(Errno errno) {
        String text = errno.name() + " (" + errno.description() + ")";
        if (errno.equals(Errno.ELOOP)) {
            return text + "; a symbolic link that was not to be followed, a circle of them, or a magic link of /proc,"
                    + " which would lead out of the root";
        }
        if (errno.equals(Errno.EXDEV)) {
            return text + "; the path leads out of the directory it is resolved in, or a rename crosses file systems";
        }
        if (errno.equals(Errno.EAGAIN)) {
            return text + "; something is renaming without end, so that the kernel cannot follow \"..\" safely";
        }
        if (errno.equals(Errno.EROFS)) {
            return text + "; the root, or what is mounted there, is read-only";
        }
        if (errno.equals(Errno.EOVERFLOW)) {
            return text + "; this user's id does not exist in the user namespace that mounted the file system";
        }
        return text;
    }
}

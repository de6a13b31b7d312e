// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import dev.caisson.linux.call.FileNames;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Files of procfs that hold names. Those are bytes: whoever may mount at a directory, make a cgroup or name a process can put
 * into them what is not UTF-8, or a carriage return, and a reader of text would fail over it, or see a line too many.
 */
public final class ProcLines {
    private ProcLines() {}

    /** {@return the lines, in which names are those of {@link FileNames}} */
    public static List<String> of(Path file) throws IOException {
        String all = FileNames.decode(java.nio.file.Files.readAllBytes(file));
        return all.isEmpty() ? List.of() : List.of(all.split("\n"));
    }
}

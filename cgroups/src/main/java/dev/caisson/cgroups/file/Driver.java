// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.file;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** What both versions can do with a cgroup that exists. One object is one cgroup, in one hierarchy of version 2 or several of version 1. */
public interface Driver {
    /** {@return its directories, one per hierarchy} */
    List<Path> directories();

    /** {@return the directory with a controller's files, if it is one of this driver's} */
    Optional<Path> directory(String controller);

    /** Writes values, in the order in which the kernel takes them. */
    void write(List<Write> writes, Writing writing) throws IOException;

    /** Moves a process and all its threads here. */
    void move(int pid) throws IOException;

    /** Stops everything in it and below, and returns when it stands still; or lets it go on. */
    void freeze(boolean frozen) throws IOException;

    /** Kills everything in it and below, frozen or not. Does not wait for the ends. */
    void kill() throws IOException;

    /** Kills what is left and removes the directories, and all below them. Idempotent. */
    void remove() throws IOException;
}

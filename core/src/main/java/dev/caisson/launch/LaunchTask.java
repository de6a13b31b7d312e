// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.child.Step;

/** The tasks of a launch whose failure means something of its own, or at whose place the JVM does something. */
public enum LaunchTask implements Step.Task {
    /** The JVM writes the id maps of the user namespace. */
    WAIT_FOR_ID_MAPS,

    /** The layers become one file system. */
    MERGE_LAYERS,

    MOUNT_PROC,

    INSTALL_FILTER,

    /** The source of a bind mount is compared with what was planned for. */
    CHECK_SOURCE,

    /** Something that somebody asked for is mounted on its target. */
    PLACE_MOUNT,

    /** A path is masked or made read-only. */
    RESTRICT_PATH,

    /** An init forks the command. */
    FORK_COMMAND,

    /** A terminal of the container's own is opened. */
    OPEN_TERMINAL,

    /** The terminals of a container that runs are looked for. */
    FIND_DEVPTS,

    /** The program is looked for in the directories of PATH. */
    FIND_PROGRAM,

    /** The program is executed by its path. */
    RUN_PROGRAM;

    /** {@return whether a step is of this task} */
    public boolean isOf(Step step) {
        return step.task().filter(task -> task == this).isPresent();
    }
}

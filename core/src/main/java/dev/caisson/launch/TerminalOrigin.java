// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

/** Of which devpts instance the terminal of a command is. */
public enum TerminalOrigin {
    /** The container's own, which the launch mounts. */
    CONTAINER,

    /** That of the mount namespace that is joined, where a container's second command is. */
    JOINED,

    /** The JVM's, where the command has the JVM's /dev or none. */
    HOST
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.spec;

import dev.caisson.linux.call.HostPath;
import java.io.IOException;
import java.nio.file.Path;

/** Where an existing namespace is found (setns(2)). */
public sealed interface Join {
    /** {@return the kind of namespace joined} */
    Namespace namespace();

    /** A file of {@code /proc/PID/ns}, or a bind mount of one, such as those of {@code ip netns}. */
    record OfPath(Namespace namespace, Path path) implements Join {
        public OfPath {
            if (HostPath.of(path).indexOf('\0') >= 0) {
                throw new IllegalArgumentException("join " + namespace + ": the path holds NUL");
            }
            path = path.toAbsolutePath();
        }
    }

    /**
     * The namespace of a process.
     *
     * @param pid in the PID namespace of this JVM; a pidfd is taken of it when the container starts
     */
    record OfProcess(Namespace namespace, long pid) implements Join {
        public OfProcess {
            if (pid < 1 || pid > Integer.MAX_VALUE) {
                throw new IllegalArgumentException("join " + namespace + ": " + pid + " is not a process id");
            }
        }
    }

    /**
     * The namespace of a process behind a descriptor of this JVM's process.
     *
     * @param pidfd stays open and owned by the caller until the container has started
     */
    record OfPidfd(Namespace namespace, int pidfd) implements Join {
        public OfPidfd {
            if (pidfd < 0) {
                throw new IllegalArgumentException("join " + namespace + ": " + pidfd + " is not a descriptor");
            }
        }
    }

    /**
     * The namespace of a process that somebody in this JVM has started and not given up yet, such as a container: by the
     * process itself, never by its number, which may be another's by the time it is looked at.
     */
    record OfHeld(Namespace namespace, Held process) implements Join {}

    /** A process that is held by a descriptor. Thread-safe. */
    @FunctionalInterface
    interface Held {
        /**
         * {@return a pidfd of its own for the caller, who closes it}
         *
         * @throws IOException if the process has ended
         */
        int duplicate() throws IOException;
    }
}

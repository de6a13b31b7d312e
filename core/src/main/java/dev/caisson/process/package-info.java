// SPDX-License-Identifier: Apache-2.0
/**
 * Running processes: {@link dev.caisson.linux.sys.Poller} is the one thread that waits for all of them and for their pipes,
 * {@link dev.caisson.process.Plumbing} connects standard streams, {@link dev.caisson.process.Pty} is the JVM's end of a
 * terminal, {@link dev.caisson.process.LiveProcess} is one process from its launch to its end.
 */
@NullMarked
package dev.caisson.process;

import org.jspecify.annotations.NullMarked;

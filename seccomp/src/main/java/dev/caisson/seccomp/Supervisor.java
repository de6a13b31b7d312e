// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

/**
 * Decides system calls of a container in Java (seccomp_unotify(2), Linux 5.0). The caller waits meanwhile.
 *
 * {@snippet :
 * Seccomp policy = Seccomp.otherwise(Action.allow())
 *         .supervise(MKNODAT, call -> call.arg(3) == 0x103 ? Reply.proceed() : Reply.fail(EPERM));
 * }
 *
 * <p>It runs on a thread of its own for each container, which may wait, one call at a time unless {@link
 * Supervision#concurrent} says otherwise; nobody else's calls wait for it. It is interrupted when the container ends.
 */
@FunctionalInterface
public interface Supervisor {
    /**
     * Decides a call.
     *
     * @return what becomes of it, never null
     * @throws dev.caisson.linux.LinuxException to fail the call with the same errno, as is right for a supervisor that acts
     *     in the caller's place
     * @throws Notification.BadAddressException to fail the call with EFAULT
     * @throws Notification.CallerGoneException if the caller died or was interrupted meanwhile; nobody waits for an answer any more
     * @throws Exception any other is a failure of the supervisor: the call fails with EPERM, and {@link
     *     Supervision#onFailure} is told
     */
    Reply decide(Notification call) throws Exception;
}

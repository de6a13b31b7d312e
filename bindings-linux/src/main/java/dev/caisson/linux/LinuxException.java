// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux;

import java.io.IOException;

/**
 * The kernel refused a system call. The message is a line one can replay: the call as strace(1) prints it, and the
 * errno with its text.
 */
public final class LinuxException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int errno;
    private final String call;
    private final String kernelMessage;

    /**
     * A refusal of which the kernel said no more than a number.
     *
     * @param call as strace prints it, such as {@code openat(AT_FDCWD, "/x", O_PATH)}
     */
    public LinuxException(Errno errno, String call) {
        this(errno, call, "");
    }

    /**
     * A refusal that the kernel explained.
     *
     * @param call as strace prints it, such as {@code openat(AT_FDCWD, "/x", O_PATH)}
     * @param kernelMessage what the kernel itself said of the refusal, in its words; may be empty
     */
    public LinuxException(Errno errno, String call, String kernelMessage) {
        super(call + " = " + errno + (kernelMessage.isEmpty() ? "" : "; the kernel says: " + kernelMessage));
        this.errno = errno.code();
        this.call = call;
        this.kernelMessage = kernelMessage;
    }

    /** {@return the reason the kernel gave} */
    public Errno errno() {
        return new Errno(errno);
    }

    /** {@return what the kernel said beyond the errno, as file systems do through fsopen(2); mostly empty} */
    public String kernelMessage() {
        return kernelMessage;
    }

    /** {@return the refused call with its arguments, as strace prints it} */
    public String call() {
        return call;
    }
}

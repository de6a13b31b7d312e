// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import dev.caisson.linux.Arch;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A system call that waits for its supervisor's decision. Registers are final: they are what the kernel will use. Everything
 * else (memory, descriptors, paths) belongs to the caller, who may be hostile and may change it at any time: copy it once,
 * check the copy, use the copy.
 *
 * <p>What looks at the caller throws {@link CallerGoneException} once it no longer waits, and a LinuxException with EPERM
 * where the JVM has no right to look (ptrace(2), "access mode checking"). Thread-safe; of no use after the answer.
 */
public interface Notification {
    /** In place of a directory's descriptor: the working directory. */
    int AT_FDCWD = -100;

    /** {@return the number of the calling thread in the JVM's PID namespace} */
    int pid();

    /** {@return the call's number, for x32 with bit 30 set} */
    int number();

    /** {@return an argument register, 0 to 5; where the kernel declares an int, it reads the lower half alone} */
    long arg(int index);

    /** {@return the architecture whose convention the call follows} */
    Optional<Arch> arch();

    /** {@return the call; empty if this version knows none of that number} */
    Optional<Syscall> syscall();

    /** {@return the rule that named this supervisor; empty if no rule is about the call} */
    Optional<Rule> rule();

    /** {@return whether the caller still waits: it has not died, and no signal has interrupted the call} */
    boolean isPending();

    /**
     * {@return a copy of the caller's memory} It was the caller's for certain: that it still waits is checked after reading.
     *
     * @param length 0 to 16 MiB
     * @throws BadAddressException if not all of it is there
     */
    byte[] read(long address, int length) throws IOException;

    /**
     * {@return a copy of a string of the caller, up to its NUL, read as UTF-8} A byte {@code b} that is not part of UTF-8
     * becomes the lone surrogate {@code U+DC00 + b}, which {@link #open} and {@link #openAt} make that byte again.
     *
     * @param most bytes without the NUL, 0 to 16 MiB; paths have 4095
     * @throws BadAddressException if it does not end within readable memory
     * @throws LinuxException ENAMETOOLONG if it is longer
     */
    String readString(long address, int most) throws IOException;

    /**
     * Writes into the caller's memory, where the caller itself could.
     *
     * @throws BadAddressException if it could not be written, or not in full
     */
    void write(long address, byte[] bytes) throws IOException;

    /**
     * {@return a duplicate of a descriptor of the caller (pidfd_getfd(2), Linux 5.6)}
     *
     * @throws LinuxException EBADF if there is none of that number
     */
    Descriptor descriptor(int number) throws IOException;

    /**
     * {@return a file opened inside the caller's root, where neither links nor {@code ..} lead out (openat2(2) with
     * RESOLVE_IN_ROOT, Linux 5.6)} It is opened with the JVM's privileges, not the caller's. Links of /proc are not
     * followed.
     *
     * @param path from the root, or from the caller's working directory
     * @param flags of open(2) in the host's numbers; O_CLOEXEC and O_NOCTTY are added
     * @param mode of a file that is made
     */
    default Descriptor open(String path, int flags, int mode) throws IOException {
        return openAt(AT_FDCWD, path, flags, mode);
    }

    /**
     * {@return the same, where a relative path begins at a directory of the caller}
     *
     * @param directory a descriptor of the caller, or -100 (AT_FDCWD) for its working directory
     */
    Descriptor openAt(int directory, String path, int flags, int mode) throws IOException;

    /** {@return a file of the host, opened with the JVM's privileges} */
    Descriptor openOnHost(Path path, int flags) throws IOException;

    /**
     * Makes an empty file in the caller's mount namespace, as root of its user namespace; to mount something on it. It takes
     * about a millisecond.
     *
     * @param path the namespace's own; a relative one begins at the caller's working directory
     * @throws LinuxException EEXIST if there is anything of that name
     */
    void makeFile(String path, int mode) throws IOException;

    /**
     * Mounts in the caller's mount namespace, as mount(2) there by root of its user namespace would. Paths are the
     * namespace's own; a relative target begins at the caller's working directory. It takes about a millisecond.
     */
    void mount(String source, String target, String type, long flags, String data) throws IOException;

    /**
     * Gives the caller a copy of a descriptor and leaves the call undecided; for calls that yield several, as pipe(2). If the
     * caller is interrupted afterwards it keeps it. Linux 5.9.
     *
     * @return the number that it got
     */
    int inject(Reply.Inject what) throws IOException;

    /** Kills the caller's process (SIGKILL). The call is still to be answered, and is not made if the answer is a refusal. */
    void kill() throws IOException;

    /**
     * An open file or socket that a supervisor holds in the JVM while it decides one call. It comes from a {@link Notification},
     * and is closed when that call is answered, if not before.
     */
    interface Descriptor extends AutoCloseable {
        /**
         * {@return a path under which JDK classes can open the same file again, while this is open} Not for sockets.
         */
        Path path();

        /**
         * Connects a socket, as connect(2) does: one that does not block fails with EINPROGRESS.
         *
         * @param address the {@code struct sockaddr}, as the caller passed it
         */
        void connect(byte[] address) throws LinuxException;

        @Override
        void close();
    }

    /** A pointer of the caller leads to memory that is not there, or not with that access. The kernel would say EFAULT. */
    public static final class BadAddressException extends IOException {
        private static final long serialVersionUID = 1L;

        /**
         * An access that the kernel refused.
         *
         * @param access what was tried, such as {@code reading}
         * @param address where in the caller's memory
         * @param length how many bytes
         */
        public BadAddressException(String access, long address, long length) {
            super(access + " " + length + " bytes at 0x" + Long.toHexString(address)
                    + " of the caller: bad address (EFAULT)");
        }
    }

    /** Nobody waits for the answer to a supervised call any more: the caller died, or a signal interrupted it. No error. */
    public static final class CallerGoneException extends IOException {
        private static final long serialVersionUID = 1L;

        /** A call that nobody waits for any more. */
        public CallerGoneException() {
            super("the caller no longer waits for its system call: it died, or a signal interrupted it");
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.spec;

import java.util.Locale;

/** The parts of root's power (capabilities(7)), in the order of their numbers: {@code ordinal()} is the kernel's number. */
public enum Capability {
    CHOWN,
    DAC_OVERRIDE,
    DAC_READ_SEARCH,
    FOWNER,
    FSETID,
    KILL,
    SETGID,
    SETUID,
    SETPCAP,
    LINUX_IMMUTABLE,
    NET_BIND_SERVICE,
    NET_BROADCAST,
    NET_ADMIN,
    NET_RAW,
    IPC_LOCK,
    IPC_OWNER,
    SYS_MODULE,
    SYS_RAWIO,
    SYS_CHROOT,
    SYS_PTRACE,
    SYS_PACCT,
    SYS_ADMIN,
    SYS_BOOT,
    SYS_NICE,
    SYS_RESOURCE,
    SYS_TIME,
    SYS_TTY_CONFIG,
    MKNOD,
    LEASE,
    AUDIT_WRITE,
    AUDIT_CONTROL,
    SETFCAP,
    MAC_OVERRIDE,
    MAC_ADMIN,
    SYSLOG,
    WAKE_ALARM,
    BLOCK_SUSPEND,
    AUDIT_READ,
    PERFMON,
    BPF,
    CHECKPOINT_RESTORE;

    /** {@return the kernel's name, as {@code CAP_SYS_ADMIN}} */
    public String kernelName() {
        return "CAP_" + name();
    }

    /**
     * {@return the capability of a name} Upper or lower case, with or without {@code CAP_}.
     *
     * @throws IllegalArgumentException if no capability has this name
     */
    public static Capability of(String name) {
        String plain = name.toUpperCase(Locale.ROOT);
        plain = plain.startsWith("CAP_") ? plain.substring(4) : plain;
        for (var capability : values()) {
            if (capability.name().equals(plain)) {
                return capability;
            }
        }
        throw new IllegalArgumentException(
                "capability: \"" + name + "\" is none of capabilities(7), such as CAP_CHOWN");
    }
}

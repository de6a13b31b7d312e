// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import java.util.Set;

/** What Docker gives a container that asks for nothing. */
final class DockerCapabilities {
    static final Set<String> NAMES = Set.of(
            "CAP_CHOWN",
            "CAP_DAC_OVERRIDE",
            "CAP_FSETID",
            "CAP_FOWNER",
            "CAP_MKNOD",
            "CAP_NET_RAW",
            "CAP_SETGID",
            "CAP_SETUID",
            "CAP_SETFCAP",
            "CAP_SETPCAP",
            "CAP_NET_BIND_SERVICE",
            "CAP_SYS_CHROOT",
            "CAP_KILL",
            "CAP_AUDIT_WRITE");

    private DockerCapabilities() {}
}

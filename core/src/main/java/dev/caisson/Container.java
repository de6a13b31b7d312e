// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.cgroups.spec.Usage;
import dev.caisson.launch.ImmutableContainerSpec;
import dev.caisson.linux.ByteUnit;
import dev.caisson.spec.Capabilities;
import dev.caisson.spec.Namespace;
import java.io.IOException;

/**
 * A running container: one command, and everything it started, with its own view of the system and its own limits.
 *
 * {@snippet :
 * Exit exit = Container.builder().newPid().memoryMax(256, MB).lower(layers).run("sh", "-c", "exit 3");
 * }
 *
 * <p>Needs Linux 5.12. As root nothing else is needed; an ordinary user gets a user namespace, which the host must allow.
 */
public interface Container extends ContainerProcess {
    /**
     * {@return a builder with safe defaults} It needs a root ({@link ContainerBuilder#lower} or {@link ContainerBuilder#rootfs}) and gives the
     * command:
     *
     * <ul>
     *   <li>a mount namespace with that root, /proc, a read-only /sys, a minimal /dev, the kernel's delicate files masked
     *   <li>a PID namespace, so that ending the container ends all of it
     *   <li>as an ordinary user, a user namespace in which that user is root
     *   <li>Docker's default capabilities, no_new_privs, no descriptor but its standard streams, an environment of its own
     * </ul>
     */
    static ContainerBuilder builder() {
        return new ContainerBuilder(ImmutableContainerSpec.builder()
                .capabilities(Capabilities.docker())
                .build());
    }

    /**
     * {@return a builder for code nobody trusts} As {@link #builder}, with all eight namespaces new, no capability at all, no
     * network but its own loopback, the name {@code sandbox}, fresh tmpfs on /tmp and /run, and at most 512 processes where
     * the caller may set such a limit by {@link ContainerBuilder#pidsMax}.
     */
    static ContainerBuilder sandbox() {
        var builder = builder();
        for (var namespace : Namespace.values()) {
            builder = builder.fresh(namespace);
        }
        return builder.hostname("sandbox")
                .capabilities(Capabilities.none())
                .tmpfs("/tmp", 256, ByteUnit.MB)
                .tmpfs("/run", 16, ByteUnit.MB);
    }

    /**
     * {@return a builder that does only what is named} No namespace, no root, no default mount, capabilities and privileges
     * as they are: a faster ProcessBuilder to begin with. Without a PID namespace, ending it ends its process group only.
     */
    static ContainerBuilder bare() {
        return new ContainerBuilder(ImmutableContainerSpec.builder()
                .bare(true)
                .kernelMounts(false)
                .noNewPrivileges(false)
                .build());
    }

    /** {@return what its cgroup counts now; all empty if no limit was asked for, or it has ended} */
    Usage usage() throws IOException;
}

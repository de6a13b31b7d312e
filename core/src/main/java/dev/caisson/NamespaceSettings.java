// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import com.google.errorprone.annotations.CheckReturnValue;
import dev.caisson.launch.ImmutableContainerSpec;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Join;
import dev.caisson.spec.Namespace;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;

/** Which namespaces a container has: new ones, joined ones, the host's. */
@CheckReturnValue
abstract class NamespaceSettings extends Settings {
    private static final int LONGEST_HOST_NAME = 64;

    NamespaceSettings(ImmutableContainerSpec spec) {
        super(spec);
    }

    /** A mount namespace of its own; implied by a root and by mounts. */
    public ContainerBuilder newMount() {
        return fresh(Namespace.MOUNT);
    }

    /** A PID namespace of its own, in which the command, or the init, is PID 1; implied unless the builder is bare. */
    public ContainerBuilder newPid() {
        return fresh(Namespace.PID);
    }

    /** A network of its own, with nothing in it but a loopback interface, which is brought up. */
    public ContainerBuilder newNetwork() {
        return fresh(Namespace.NETWORK);
    }

    /** System V IPC objects and message queues of its own. */
    public ContainerBuilder newIpc() {
        return fresh(Namespace.IPC);
    }

    /** A host name of its own, at first a copy of the host's; implied by {@link #hostname}. */
    public ContainerBuilder newUts() {
        return fresh(Namespace.UTS);
    }

    /**
     * Users of its own: what is root inside is nobody on the host. As root, ids 0 to 65535 become host ids from 524288; as
     * an ordinary user, root inside is that user and nobody else exists.
     */
    public ContainerBuilder newUser() {
        return fresh(Namespace.USER);
    }

    /** Users of its own by this map; what is not single and one's own takes root, or newuidmap(1). */
    public ContainerBuilder newUser(IdMap map) {
        return fresh(Namespace.USER).with(s -> s.withIdMap(map));
    }

    /** Hides the host's cgroup paths. */
    public ContainerBuilder newCgroup() {
        return fresh(Namespace.CGROUP);
    }

    /** Clocks of its own, at first equal to the host's; see {@link #bootTimeOffset}. Needs Linux 6.3. */
    public ContainerBuilder newTime() {
        return fresh(Namespace.TIME);
    }

    /** A new namespace of any kind. */
    public ContainerBuilder fresh(Namespace namespace) {
        return with(s -> s.withNewNamespaces(plus(s.newNamespaces(), namespace)));
    }

    /** The host's namespace, where other settings would imply a new one. */
    public ContainerBuilder host(Namespace namespace) {
        return with(s -> s.withHostNamespaces(plus(s.hostNamespaces(), namespace)));
    }

    /** Joins an existing namespace by its file, such as {@code /proc/1234/ns/net} or {@code /run/netns/blue}. */
    public ContainerBuilder join(Namespace namespace, Path file) {
        return join(new Join.OfPath(namespace, file));
    }

    public ContainerBuilder join(Join join) {
        return with(s -> s.withJoins(plus(s.joins(), join)));
    }

    /** Joins namespaces of a running container. */
    public ContainerBuilder join(Container container, Namespace... namespaces) {
        var joined = with(s -> s);
        for (var namespace : namespaces) {
            joined = joined.join(new Join.OfProcess(namespace, container.pid()));
        }
        return joined;
    }

    /** Adds to what the monotonic clock shows inside; may be negative. Implies {@link #newTime}. */
    public ContainerBuilder monotonicOffset(Duration offset) {
        return with(s -> s.withMonotonicOffset(offset));
    }

    /** Adds to what the boot-time clock, and so the uptime, shows inside; may be negative. Implies {@link #newTime}. */
    public ContainerBuilder bootTimeOffset(Duration offset) {
        return with(s -> s.withBootTimeOffset(offset));
    }

    /** The name of the host inside, at most 64 bytes. Implies {@link #newUts}. */
    public ContainerBuilder hostname(String name) {
        return with(s -> s.withHostname(hostName("hostname", name)));
    }

    /** The NIS domain name inside, at most 64 bytes. Implies {@link #newUts}. */
    public ContainerBuilder domainName(String name) {
        return with(s -> s.withDomainName(hostName("domainName", name)));
    }

    private static String hostName(String option, String name) {
        int length = noNul(option, name).getBytes(StandardCharsets.UTF_8).length;
        if (length == 0 || length > LONGEST_HOST_NAME) {
            throw new IllegalArgumentException(
                    option + ": \"" + name + "\" has " + length + " bytes; 1 to " + LONGEST_HOST_NAME + " are allowed");
        }
        return name;
    }
}

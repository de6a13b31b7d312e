// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.call.FileNames;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Join;
import dev.caisson.spec.Namespace;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.immutables.value.Value;

/** Which namespaces are new, joined or the host's, and what is set in the new ones. */
@Value.Immutable
@Value.Style(jdkOnly = true, jakarta = false, allowedClasspathAnnotations = Override.class)
public interface NamespaceSpec {
    /** The most bytes of a host or domain name (uname(2)). */
    int LONGEST_NAME = 64;

    /** Namespaces made for the container. */
    Set<Namespace> fresh();

    /** Namespaces that a preset makes for the container, as long as nobody says otherwise of one. */
    Set<Namespace> preset();

    /** Namespaces that are the host's because somebody said so, against what other settings would imply. */
    Set<Namespace> host();

    List<Join> joins();

    /** The map of a new user namespace; empty: the widest map the caller may have without weakening isolation. */
    Optional<IdMap> idMap();

    /** The map of a joined user namespace, where it is known. */
    Optional<IdMap> joinedIdMap();

    Optional<String> hostname();

    /** The host name that a preset gives, where nobody gave one and the UTS namespace is the container's. */
    Optional<String> presetHostname();

    Optional<String> domainName();

    Optional<Duration> monotonicOffset();

    Optional<Duration> bootTimeOffset();

    /** Refuses values that make no sense alone. */
    @Value.Check
    default void check() {
        if (hostname().isPresent()) {
            checkName("hostname", hostname().get());
        }
        if (domainName().isPresent()) {
            checkName("domainName", domainName().get());
        }
    }

    private static void checkName(String option, String name) {
        int length = FileNames.encode(Checks.string(option, name)).length;
        if (length == 0 || length > LONGEST_NAME) {
            throw new IllegalArgumentException(
                    option + ": \"" + name + "\" has " + length + " bytes; 1 to " + LONGEST_NAME + " are allowed");
        }
    }

    /** {@return how a namespace is joined, if it is} */
    default Optional<Join> joined(Namespace namespace) {
        for (var join : joins()) {
            if (join.namespace() == namespace) {
                return Optional.of(join);
            }
        }
        return Optional.empty();
    }

    private int timesJoined(Namespace namespace) {
        int times = 0;
        for (var join : joins()) {
            times += join.namespace() == namespace ? 1 : 0;
        }
        return times;
    }

    /** {@return whether a namespace is neither joined nor the host's by name, and so may be implied} */
    default boolean leavesOpen(Namespace namespace) {
        return joined(namespace).isEmpty() && !host().contains(namespace);
    }

    /** {@return the host name inside, if it is not the host's} */
    default Optional<String> hostnameInside() {
        return hostname().isEmpty() && leavesOpen(Namespace.UTS) ? presetHostname() : hostname();
    }

    /** {@return whether somebody set a host or domain name} */
    default boolean isNamed() {
        return hostname().isPresent() || domainName().isPresent();
    }

    /** {@return whether a clock is offset} */
    default boolean shiftsClocks() {
        return monotonicOffset().isPresent() || bootTimeOffset().isPresent();
    }

    /** Refuses fields that are fine alone and not together. */
    default void checkTogether() {
        for (var namespace : Namespace.values()) {
            boolean isFresh = fresh().contains(namespace);
            boolean isJoined = joined(namespace).isPresent();
            boolean isHost = host().contains(namespace);
            if (!isJoined && !(isFresh && isHost)) {
                continue;
            }
            String fresh = "a new " + namespace + " namespace";
            String joining = "joining a " + namespace + " namespace";
            Contradictions.refuse(isFresh && isJoined, fresh, "joining one", "choose one of them");
            Contradictions.refuse(isFresh && isHost, fresh, "that of the host", "choose one of them");
            Contradictions.refuse(isJoined && isHost, joining, "that of the host", "choose one of them");
            Contradictions.refuse(
                    timesJoined(namespace) > 1,
                    "joining one " + namespace + " namespace",
                    "joining another",
                    "a process is in one");
        }
        Contradictions.refuse(
                isNamed() && !leavesOpen(Namespace.UTS),
                "hostname or domainName",
                "a UTS namespace that is not the container's",
                "the name would change for others too; leave one out");
        Contradictions.refuse(
                shiftsClocks() && joined(Namespace.TIME).isPresent(),
                "a clock offset",
                "joining a time namespace",
                "its offsets are fixed; leave one out");
        Contradictions.refuse(
                idMap().isPresent() && joined(Namespace.USER).isPresent(),
                "an id map",
                "joining a user namespace",
                "it has a map already; leave the map out");
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.spec.Namespace;
import java.util.function.UnaryOperator;
import org.immutables.value.Value;

/** Everything a launch needs but the command: the value behind the builder. What is absent was not asked for. */
@Value.Immutable
@Value.Style(jdkOnly = true, jakarta = false, allowedClasspathAnnotations = Override.class)
public abstract class ContainerSpec {
    /** Whether only what is named is done: no implied namespace, no default mount, nothing dropped. */
    @Value.Default
    public boolean bare() {
        return false;
    }

    /** Whether it describes a further command of a container that runs already. */
    @Value.Default
    public boolean entered() {
        return false;
    }

    /** Whether a mount namespace that is joined has terminals of its own; else they are the JVM's. */
    @Value.Default
    public boolean joinsTerminals() {
        return true;
    }

    /** {@return whether the container has terminals of its own} */
    public final boolean hasOwnTerminals() {
        return hasOwnRoot()
                ? root().kernelMounts()
                : namespaces().joined(Namespace.MOUNT).isPresent() && joinsTerminals();
    }

    @Value.Default
    public RootSpec root() {
        return ImmutableRootSpec.builder().build();
    }

    @Value.Default
    public NamespaceSpec namespaces() {
        return ImmutableNamespaceSpec.builder().build();
    }

    @Value.Default
    public ProcessSpec process() {
        return ImmutableProcessSpec.builder().build();
    }

    @Value.Default
    public PrivilegeSpec privileges() {
        return ImmutablePrivilegeSpec.builder().build();
    }

    @Value.Default
    public LimitSpec limits() {
        return ImmutableLimitSpec.builder().build();
    }

    @Value.Default
    public SupervisionSpec supervision() {
        return ImmutableSupervisionSpec.builder().build();
    }

    /** {@return this with another supervision} */
    public final ContainerSpec supervision(UnaryOperator<ImmutableSupervisionSpec> change) {
        return ImmutableContainerSpec.copyOf(this)
                .withSupervision(change.apply(ImmutableSupervisionSpec.copyOf(supervision())));
    }

    /** {@return this with another root} */
    public final ContainerSpec root(UnaryOperator<ImmutableRootSpec> change) {
        return ImmutableContainerSpec.copyOf(this).withRoot(change.apply(ImmutableRootSpec.copyOf(root())));
    }

    /** {@return this with other namespaces} */
    public final ContainerSpec namespaces(UnaryOperator<ImmutableNamespaceSpec> change) {
        return ImmutableContainerSpec.copyOf(this)
                .withNamespaces(change.apply(ImmutableNamespaceSpec.copyOf(namespaces())));
    }

    /** {@return this with another start of the command} */
    public final ContainerSpec process(UnaryOperator<ImmutableProcessSpec> change) {
        return ImmutableContainerSpec.copyOf(this).withProcess(change.apply(ImmutableProcessSpec.copyOf(process())));
    }

    /** {@return this with other privileges} */
    public final ContainerSpec privileges(UnaryOperator<PrivilegeSpec> change) {
        return ImmutableContainerSpec.copyOf(this).withPrivileges(change.apply(privileges()));
    }

    /** {@return this with other limits} */
    public final ContainerSpec limits(UnaryOperator<ImmutableLimitSpec> change) {
        return ImmutableContainerSpec.copyOf(this).withLimits(change.apply(ImmutableLimitSpec.copyOf(limits())));
    }

    /** {@return whether PID 1 is an init of ours} */
    public final boolean hasInit() {
        return process().init().isPresent()
                ? process().init().get()
                : process().presetInit() && Implied.namespaces(this).contains(Namespace.PID);
    }

    /** {@return whether the container has a root of its own} */
    public final boolean hasOwnRoot() {
        return root().isOwn();
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.call.Arg;
import dev.caisson.spec.Namespace;
import java.util.List;

/** What the child is given at its launch, each by a slot of the program: who plans and who binds name them here. */
public final class Slots {
    /** The pipe on which an init reports how the command ended. */
    public static final Arg.Slot STATUS = Arg.slot("status");

    /** The socket over which the root is handed to the JVM. */
    public static final Arg.Slot KEPT = Arg.slot("kept");

    /** A mount of the layers, merged by the JVM. */
    public static final Arg.Slot MERGED = Arg.slot("merged");

    /** The pipe on which a file system says why it refused. */
    static final Arg.Slot WORDS = Arg.slot("words");

    private static final List<Arg.Slot> STANDARD = List.of(Arg.slot("stdin"), Arg.slot("stdout"), Arg.slot("stderr"));

    private Slots() {}

    /** {@return the source of a descriptor of the command} */
    public static Arg.Slot descriptor(int number) {
        return number < STANDARD.size() ? STANDARD.get(number) : Arg.slot("descriptor " + number);
    }

    /** {@return the namespace to join} */
    public static Arg.Slot join(Namespace namespace) {
        return Arg.slot("join " + namespace.file());
    }

    /** {@return the cgroup.procs of a version 1 controller} */
    public static Arg.Slot cgroup(String controller) {
        return Arg.slot("cgroup " + controller);
    }

    /** {@return a layer's mount} */
    static Arg.Slot layer(int number) {
        return Arg.slot("layer " + number);
    }

    /** {@return a descriptor of the JVM's that a path goes through} */
    static Arg.Slot own(int number) {
        return Arg.slot("fd " + number);
    }
}

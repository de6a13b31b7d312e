// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.spec.Restart;
import java.util.Optional;
import java.util.regex.Pattern;
import org.immutables.value.Value;

/** Who looks after the container: this JVM, or a supervisor that outlives it. */
@Value.Immutable
@Value.Style(jdkOnly = true, jakarta = false, allowedClasspathAnnotations = Override.class)
public interface SupervisionSpec {
    /** What a detached container may be called: it is the name of a directory. */
    Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}");

    Optional<String> name();

    /** Whether it outlives this JVM. */
    @Value.Default
    default boolean detached() {
        return false;
    }

    @Value.Default
    default Restart restart() {
        return Restart.never();
    }

    /** {@return whether it may ever be started again} */
    default boolean restarts() {
        return !(restart() instanceof Restart.Never);
    }

    /**
     * {@return a name of a container}
     *
     * @throws IllegalArgumentException if it is not one
     */
    static String checkedName(String name) {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException(
                    "name: \"" + name + "\"; a letter or digit, and at most 127 letters, digits,"
                            + " '_', '.' and '-' behind it are possible");
        }
        return name;
    }

    /** Refuses what makes no sense alone. */
    @Value.Check
    default void check() {
        name().ifPresent(SupervisionSpec::checkedName);
    }

    /** Refuses settings that are fine alone and not together. */
    default void checkTogether() {
        Contradictions.refuse(
                detached() && name().isEmpty(),
                "detached",
                "no name",
                "others find the container by its name only; call name(...)");
        Contradictions.refuse(
                !detached() && name().isPresent(),
                "name",
                "a container that ends with this JVM",
                "nobody finds it by its name; call detached()");
        Contradictions.refuse(
                !detached() && restarts(),
                "restart",
                "a container that ends with this JVM",
                "there is no supervisor to start it again; call detached()");
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.engine.LaunchException;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A container could not be launched, or (as {@link ExitException}) ran and failed. The message of a failed launch names the
 * step, the system call, what the kernel said, the likely cause and the remedy.
 */
public class ContainerException extends IOException {
    private static final long serialVersionUID = 1L;

    private final String step;

    /**
     * A launch that failed.
     *
     * @param step the purpose of the step that failed; empty if no step of the plan did
     */
    public ContainerException(String message, String step, @Nullable Throwable cause) {
        super(message, cause);
        this.step = step;
    }

    /** {@return what kept a container from starting; what it says is kept} */
    static ContainerException of(IOException failed) {
        return switch (failed) {
            case ContainerException already -> already;
            case LaunchException launch ->
                new ContainerException(String.valueOf(launch.getMessage()), launch.step(), launch.getCause());
            default -> new ContainerException(String.valueOf(failed.getMessage()), "", failed);
        };
    }

    /** {@return the purpose of the step that failed, as {@code explain()} shows it; empty if no step of the plan did} */
    public Optional<String> step() {
        return step.isEmpty() ? Optional.empty() : Optional.of(step);
    }
}

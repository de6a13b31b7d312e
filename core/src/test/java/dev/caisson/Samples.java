// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import java.io.IOException;
import java.nio.file.Path;

/** The containers that tests start from. */
final class Samples {
    private Samples() {}

    /** {@return a container over this machine's own files} */
    static ContainerBuilder overHost() {
        return Container.builder().lower(Path.of("/"));
    }

    /** {@return what a shell script writes in a container, which must end well} */
    static String sh(ContainerBuilder container, String script) throws IOException, InterruptedException {
        return container.capture("/bin/sh", "-c", script).orThrow().text();
    }
}

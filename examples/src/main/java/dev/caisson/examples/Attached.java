// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.ContainerBuilder;
import dev.caisson.ContainerProcess;
import dev.caisson.spec.Stdio;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.util.List;

/** A command with a terminal, or with its input passed on, until its end: the options {@code -i} and {@code -t} of docker. */
final class Attached {
    private static final int CHUNK = 16_384;

    private Attached() {}

    /** Starts a command in a terminal of some size. */
    @FunctionalInterface
    interface InTerminal {
        ContainerProcess start(int columns, int rows) throws IOException;
    }

    /** {@return the shell's code of a command that reads what comes in here, by a pipe} */
    static int reading(ContainerBuilder builder, List<String> command) throws IOException, InterruptedException {
        var streams = builder.stdin(Stdio.pipe()).stdout(Stdio.inherit()).stderr(Stdio.inherit());
        try (var container = streams.start(command)) {
            passInput(container);
            return container.waitFor().shellCode();
        }
    }

    /**
     * {@return the shell's code of a command in a terminal}
     *
     * @param typing whether what is typed here is typed there
     */
    static int inTerminal(ContainerBuilder builder, List<String> command, boolean typing)
            throws IOException, InterruptedException {
        return inTerminal((columns, rows) -> builder.terminal(columns, rows).start(command), typing);
    }

    /** {@return the shell's code of a command in a terminal, as above} */
    static int inTerminal(InTerminal command, boolean typing) throws IOException, InterruptedException {
        if (typing && !OwnTerminal.isInput()) {
            throw new IllegalStateException(
                    "-t with -i: the input is not a terminal; leave -t out for a pipe or a file");
        }
        var here = OwnTerminal.find();
        var size = here.map(OwnTerminal::size).orElseGet(OwnTerminal::usualSize);
        try (var own = here.orElse(null);
                var container = command.start(size.columns(), size.rows())) {
            if (own != null) {
                OwnTerminal.onResize(() -> resize(container, own));
                resize(container, own);
                if (typing) {
                    own.raw();
                }
            }
            if (typing) {
                passInput(container);
            }
            show(container);
            return container.waitFor().shellCode();
        }
    }

    private static void resize(ContainerProcess container, OwnTerminal own) {
        try {
            var size = own.size();
            container.terminal().resize(size.columns(), size.rows());
        } catch (IOException ended) {
            // There is nobody left to be told.
        }
    }

    private static void passInput(ContainerProcess process) {
        Thread.ofPlatform().daemon().name("input").start(() -> {
            try (var from = new FileInputStream(FileDescriptor.in);
                    var to = process.stdin()) {
                byte[] some = new byte[CHUNK];
                int n;
                while ((n = from.read(some)) >= 0) {
                    to.write(some, 0, n);
                }
            } catch (IOException nobodyReads) {
                // The command may end before its input does.
            }
        });
    }

    private static void show(ContainerProcess process) throws IOException {
        @SuppressWarnings("resource") // It is the JVM's.
        var to = new FileOutputStream(FileDescriptor.out);
        byte[] some = new byte[CHUNK];
        int n;
        while ((n = process.stdout().read(some)) >= 0) {
            to.write(some, 0, n);
        }
    }
}

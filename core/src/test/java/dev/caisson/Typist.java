// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** Types into a command's terminal and reads what appears, as a person does: one looks before one types on. */
final class Typist {
    /** Keys that mean something to a terminal. */
    enum Key {
        CTRL_C(3),
        CTRL_D(4),
        CTRL_Z(26);

        private final int code;

        Key(int code) {
            this.code = code;
        }
    }

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final ContainerProcess process;
    private final ByteArrayOutputStream seen = new ByteArrayOutputStream();
    private final Thread reader;
    private int read;

    Typist(ContainerProcess process) {
        this.process = process;
        reader = Thread.ofVirtual().start(this::look);
    }

    private void look() {
        byte[] some = new byte[4096];
        try {
            int n;
            while ((n = process.stdout().read(some)) > 0) {
                synchronized (this) {
                    seen.write(some, 0, n);
                    notifyAll();
                }
            }
        } catch (IOException closed) {
            // Nothing more will appear.
        }
    }

    /** {@return all that has appeared} */
    synchronized String screen() {
        return seen.toString(StandardCharsets.UTF_8).replace("\r\n", "\n");
    }

    void type(String keys) throws IOException {
        process.stdin().write(keys.getBytes(StandardCharsets.UTF_8));
    }

    void press(Key key) throws IOException {
        process.stdin().write(key.code);
    }

    /** Presses a key again and again until something appears. */
    void pressUntil(Key key, String text) throws IOException, InterruptedException {
        int times = 200;
        while (times-- > 0 && !hasAppeared(text)) {
            press(key);
            Thread.sleep(100);
        }
        await(text);
    }

    private synchronized boolean hasAppeared(String text) {
        return screen().indexOf(text, read) >= 0;
    }

    /** Waits until something appears behind what was waited for last. */
    synchronized void await(String text) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        int at;
        while ((at = screen().indexOf(text, read)) < 0) {
            long left = (end - System.nanoTime()) / 1_000_000;
            assertTrue(left > 0, () -> "waited for \"" + text + "\" in:\n" + screen());
            wait(left);
        }
        read = at + text.length();
    }

    /** {@return all that has appeared, when nobody inside has the terminal open any more} */
    String toTheEnd() throws InterruptedException {
        assertTrue(reader.join(PATIENCE), () -> "the terminal is still open:\n" + screen());
        return screen();
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.cgroups.spec.Limits;
import dev.caisson.linux.ByteUnit;
import java.nio.file.Path;

/** Starts one detached container after the other, and says so, until it is killed. */
final class DetachedLives {
    static final int LINES = 300;

    private DetachedLives() {}

    public static void main(String[] args) throws Exception {
        String prefix = args[0];
        for (int i = 0; ; i++) {
            String name = prefix + "-" + i;
            say("starting " + name);
            var container = Container.builder()
                    .lower(Path.of("/"))
                    .name(name)
                    .detached()
                    .limits(Limits.none().memoryMax(64, ByteUnit.MB))
                    .start(
                            "/bin/sh",
                            "-c",
                            "i=0; while [ $i -lt " + LINES + " ]; do echo line $i; i=$((i+1)); done; exit " + code(i));
            say("started " + name);
            if (i % 3 == 0) {
                container.close();
            } else if (i % 3 == 1) {
                container.stdout().readNBytes(100);
            } else {
                var _ = container.waitFor();
                container.close();
            }
        }
    }

    static int code(int i) {
        return i % 50;
    }

    private static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }
}

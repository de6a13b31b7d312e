// SPDX-License-Identifier: Apache-2.0

/** One readable file per job. */
module dev.caisson.examples {
    requires dev.caisson;
    requires info.picocli;
    requires org.jline.terminal;
    requires static org.jspecify;

    opens dev.caisson.examples to
            info.picocli;
}

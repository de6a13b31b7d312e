// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** {@code docs/kernel-features.md} is written from {@link Feature}. */
class KernelFeaturesTest {
    private static final Path PAGE =
            Path.of("").toAbsolutePath().getParent().resolve("docs").resolve("kernel-features.md");

    private static String page() {
        var out = new StringBuilder("""
                # Kernel features

                <!-- Written by KernelFeaturesTest from Feature.java; with -Dcaisson.write=true the test writes it anew. -->

                Caisson tries each feature, once in a JVM and only when something requires it; the version is the first upstream one
                and appears in messages alone, since distributions carry features back. `Host.doctor()` tells what a host has, and
                `explain()` what a launch would do without.

                | feature | since Linux | used for | without it |
                |---|---|---|---|
                """);
        for (var feature : Feature.values()) {
            out.append("| ").append(feature.title());
            out.append(" | ").append(feature.since());
            out.append(" | ").append(feature.usedFor());
            out.append(" | ").append(feature.fallback().equals("none") ? "refused, by name" : feature.fallback());
            out.append(" |\n");
        }
        return out.toString();
    }

    @Test
    void thePageOfKernelFeaturesSaysWhatTheCodeSays() throws IOException {
        if (Boolean.getBoolean("caisson.write")) {
            Files.writeString(PAGE, page());
        }
        assertEquals(page(), Files.readString(PAGE), "run this test with -Dcaisson.write=true");
    }
}

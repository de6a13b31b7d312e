// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.Feature;
import dev.caisson.linux.sys.Kernel;

/** A program for {@code TrialsTest}: prints what this user finds out of each feature. */
final class ProbeAll {
    private ProbeAll() {}

    public static void main(String[] args) {
        try (var launcher = new Launcher()) {
            var kernel = Kernel.ofThisMachine().asking(new Trials(launcher)::attempt);
            for (var feature : Feature.values()) {
                System.out.println(feature + " " + kernel.probe(feature));
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.Host;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Prints what this host can do for containers, and what to change where it cannot. */
@Command(name = "doctor", description = "Report what this host can do.", mixinStandardHelpOptions = true)
final class DoctorExample implements Callable<Integer> {
    @Override
    public Integer call() throws Exception {
        System.out.print(Host.doctor());
        return 0;
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import picocli.CommandLine.Command;

/** Seccomp profiles: compiled, listed, explained, evaluated and compared without a kernel; learned from a command. */
@Command(
        name = "seccomp",
        description = "Compile, list, explain, evaluate, compare and learn seccomp profiles.",
        mixinStandardHelpOptions = true,
        subcommands = {
            SeccompCompileExample.class,
            SeccompListExample.class,
            SeccompExplainExample.class,
            SeccompEvaluateExample.class,
            SeccompDiffExample.class,
            SeccompLearnExample.class
        })
final class SeccompExample {}

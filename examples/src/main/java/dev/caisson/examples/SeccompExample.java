// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import picocli.CommandLine.Command;

/** Seccomp profiles without a kernel: compiled, listed, explained, evaluated, compared. */
@Command(
        name = "seccomp",
        description = "Compile, list, explain, evaluate and compare seccomp profiles.",
        mixinStandardHelpOptions = true,
        subcommands = {
            SeccompCompileExample.class,
            SeccompListExample.class,
            SeccompExplainExample.class,
            SeccompEvaluateExample.class,
            SeccompDiffExample.class
        })
final class SeccompExample {}

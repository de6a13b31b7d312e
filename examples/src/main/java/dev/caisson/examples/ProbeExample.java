// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.Container;
import dev.caisson.ContainerBuilder;
import dev.caisson.spec.Namespace;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Command;

/** What a process sees with each namespace shared and with each new, side by side: the isolation probe. */
@Command(
        name = "probe",
        description = "Show what a process sees with each namespace off and on.",
        mixinStandardHelpOptions = true)
final class ProbeExample implements Callable<Integer> {
    private record Question(Namespace namespace, String what, String script, UnaryOperator<ContainerBuilder> on) {}

    private static final Question[] QUESTIONS = {
        new Question(Namespace.MOUNT, "mounts it sees", "grep -c . /proc/self/mountinfo", b -> b),
        new Question(Namespace.PID, "its own pid", "echo $$", ContainerBuilder::newPid),
        new Question(
                Namespace.NETWORK,
                "network interfaces",
                "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ' | tr '\\n' ' '",
                ContainerBuilder::newNetwork),
        new Question(Namespace.IPC, "IPC namespace", "readlink /proc/self/ns/ipc", ContainerBuilder::newIpc),
        new Question(Namespace.UTS, "host name", "cat /proc/sys/kernel/hostname", b -> b.hostname("caisson")),
        new Question(
                Namespace.USER,
                "host id behind its root",
                "tr -s ' ' < /proc/self/uid_map | head -1 | cut -d' ' -f3",
                ContainerBuilder::newUser),
        new Question(
                Namespace.CGROUP, "cgroup namespace", "readlink /proc/self/ns/cgroup", ContainerBuilder::newCgroup),
        new Question(
                Namespace.TIME,
                "days since boot",
                "echo $(($(cut -d. -f1 /proc/uptime) / 86400))",
                b -> b.bootTimeOffset(Duration.ofDays(365))),
    };

    @Override
    public Integer call() throws Exception {
        System.out.printf("%-9s %-24s %-34s %s%n", "namespace", "the process sees", "off (the host's)", "on (its own)");
        for (var question : QUESTIONS) {
            System.out.printf(
                    "%-9s %-24s %-34s %s%n", question.namespace().file(), question.what(), off(question), on(question));
        }
        return 0;
    }

    private static String off(Question question) throws Exception {
        return Container.bare()
                .capture("/bin/sh", "-c", question.script())
                .orThrow()
                .text();
    }

    private static String on(Question question) throws Exception {
        var container = Container.builder().lower(Path.of("/"));
        return question.on()
                .apply(container)
                .capture("/bin/sh", "-c", question.script())
                .orThrow()
                .text();
    }
}

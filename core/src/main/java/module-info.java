// SPDX-License-Identifier: Apache-2.0

/**
 * Linux containers as plain Java objects.
 *
 * <h2>A tour</h2>
 *
 * <p>{@link dev.caisson.Container#sandbox} and {@link dev.caisson.Container#builder} give a builder, an immutable value: keep it,
 * share it, make others of it. Three verbs end it: {@code run} waits, {@code capture} keeps what was written, {@code start}
 * returns at once.
 *
 * {@snippet :
 * ContainerBuilder tools = Container.builder().lower(Path.of("/srv/tools")).memoryMax(256, MB);
 * Exit exit = tools.run("make", "check");
 * String version = tools.capture("cc", "--version").orThrow().text();
 * }
 *
 * <p>An {@link dev.caisson.Exit} is sealed, so that a switch over it is complete; that a command failed is an answer, not an
 * exception, unless {@code orThrow} asks for one. What keeps a container from starting is a {@link
 * dev.caisson.ContainerException}, which names the step, the system call, what the kernel said, the likely cause and the remedy.
 *
 * {@snippet :
 * String said = switch (Container.sandbox().lower(Path.of("/")).run("true")) {
 *     case Exit.Exited(int code) -> "exit code " + code;
 *     case Exit.Killed(var signal, var reason) -> "killed by " + signal + ", " + reason;
 * };
 * }
 *
 * <p>A running {@link dev.caisson.Container} is a resource: its streams, its files, its limits and what it uses.
 *
 * {@snippet :
 * try (Container c = Container.builder().lower(Path.of("/")).pidsMax(64).start("sleep", "100")) {
 *     c.copyIn(Path.of("settings"), "/etc/settings");
 *     c.update(Limits.none().pidsMax(128));
 *     System.out.println(c.usage().pids());
 *     c.stop(Duration.ofSeconds(5));
 *     c.changes().forEach(System.out::println);
 * }
 * }
 *
 * <p>Nothing is hidden: {@link dev.caisson.ContainerBuilder#explain} prints every system call of a launch without making one,
 * {@link dev.caisson.Host#doctor} what this host can do.
 *
 * {@snippet :
 * System.out.println(Container.sandbox().lower(Path.of("/")).explain("sh"));
 * System.out.println(Host.doctor());
 * }
 *
 * <p>The mechanisms can be used alone: {@link dev.caisson.seccomp.Seccomp}, {@link dev.caisson.cgroups.Cgroup}, {@link
 * dev.caisson.overlay.Overlay}.
 *
 * <p>Calling the kernel requires native access: {@code --enable-native-access=dev.caisson.linux}, on the class path {@code
 * ALL-UNNAMED}. All types are safe for use by several threads unless they say otherwise.
 */
@SuppressWarnings("requires-automatic") // Immutables has no module descriptor.
module dev.caisson {
    requires static com.google.errorprone.annotations;
    requires transitive dev.caisson.cgroups;
    requires transitive dev.caisson.linux;
    requires transitive dev.caisson.overlay;
    requires transitive dev.caisson.seccomp;
    requires static java.compiler;
    requires static org.immutables.value.annotations;
    requires static org.jspecify;

    exports dev.caisson;
    exports dev.caisson.spec;
}

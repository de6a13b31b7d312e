// SPDX-License-Identifier: Apache-2.0
package dev.caisson.testkit;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.lang.reflect.AnnotatedElement;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.opentest4j.TestAbortedException;

/**
 * What a test requires of the machine beside a JDK, a shell with its usual tools and the kernel: the only way by which a test
 * is skipped. The environment variable {@code CAISSON_REQUIRE} lists needs that this machine promises to meet, in small
 * letters, separated by commas; a test then fails where it would have been skipped for one of them.
 */
public enum Need {
    ROOT(() -> "root".equals(System.getProperty("user.name")), "to run as root"),

    AS_X86_64("x86_64-linux-gnu-as", "binutils"),
    OBJCOPY_X86_64("x86_64-linux-gnu-objcopy", "binutils"),
    AS_AARCH64("aarch64-linux-gnu-as", "binutils-aarch64-linux-gnu"),
    OBJCOPY_AARCH64("aarch64-linux-gnu-objcopy", "binutils-aarch64-linux-gnu"),
    GCC_X86_64("x86_64-linux-gnu-gcc", "gcc"),
    GCC_AARCH64("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"),
    QEMU_X86_64("qemu-x86_64", "qemu-user"),
    QEMU_AARCH64("qemu-aarch64", "qemu-user"),
    PYTHON3("python3", "python3"),
    PERL("perl", "perl-base"),
    SETPRIV("setpriv", "util-linux"),
    UNSHARE("unshare", "util-linux"),
    TASKSET("taskset", "util-linux"),
    TMUX("tmux", "tmux"),
    MOUNT("mount", "mount"),
    USERADD("useradd", "passwd"),
    NEWUIDMAP("newuidmap", "uidmap"),
    NEWGIDMAP("newgidmap", "uidmap"),
    APPARMOR_PARSER("apparmor_parser", "apparmor"),
    AA_EXEC("aa-exec", "apparmor"),
    FUSE_OVERLAYFS(
            () -> find("fuse-overlayfs").isPresent() && Files.exists(Path.of("/dev/fuse")),
            "fuse-overlayfs (package fuse-overlayfs) and /dev/fuse"),

    // Of the kernel and its set-up.
    APPARMOR(Need::hasAppArmor, "a kernel with AppArmor, and securityfs mounted"),
    RIG(() -> System.getenv("CAISSON_RIG") != null, "the machine of test-rig"),
    PSI(() -> Files.isDirectory(Path.of("/proc/pressure")), "a kernel that counts pressure (psi=1)"),

    // What only the test itself can find out.
    CGROUP_V1,
    CGROUP_V2,
    MEMORY_CONTROLLER,
    CONTROLLER,
    USER_NAMESPACES,
    LOOP_FILE_SYSTEM,
    GCC_VERSION,
    OVERLAY_OPTION,
    DISK,
    DIRECT_IO,
    KERNEL_LOG,
    RECENT_KERNEL,
    READABLE_CLASSES,
    C_FUNCTION,
    IA32,
    PROCESSORS,
    SYSCTL,
    PACKAGED_JARS,
    KOTLIN_COMPILER;

    private static final List<String> DIRECTORIES =
            List.of("/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin", "/usr/local/sbin");

    private final Optional<BooleanSupplier> isMet;
    private final String program;
    private final String what;

    Need() {
        this.isMet = Optional.empty();
        this.program = "";
        this.what = "";
    }

    Need(String program, String debianPackage) {
        this.isMet = Optional.of(() -> find(program).isPresent());
        this.program = program;
        this.what = "the program " + program + " (package " + debianPackage + ")";
    }

    Need(BooleanSupplier isMet, String what) {
        this.isMet = Optional.of(isMet);
        this.program = "";
        this.what = what;
    }

    /** {@return its name in {@code CAISSON_REQUIRE}} */
    public String id() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** {@return whether this machine meets it; only for what can be told without a test} */
    public boolean isMet() {
        return isMet.orElseThrow(() -> new IllegalStateException(this + " is found out by tests"))
                .getAsBoolean();
    }

    /** Goes on where this machine meets it; skips the test elsewhere, or fails it if the need is listed. */
    public void orSkip() {
        orSkip(isMet(), "needs " + what);
    }

    /** As {@link #orSkip()}, for what the test has found out; the reason is what stands in the report. */
    public void orSkip(boolean met, String reason) {
        if (!met) {
            throw skipped(reason);
        }
    }

    /** {@return what to throw where the need is not met: a skip, or a failure if it is listed} */
    public RuntimeException skipped(String reason) {
        failIfPromised(reason);
        System.err.println("skipped: " + reason);
        return new TestAbortedException(reason);
    }

    /** {@return where the program is; or skips the test} */
    public Path path() {
        orSkip();
        return find(program).orElseThrow();
    }

    /** Ends a test that says nothing in this case, whatever the machine: one of its parameters excludes another. */
    public static void doesNotApply(String reason) {
        throw new TestAbortedException("does not apply: " + reason);
    }

    /** {@return why a test or a class of them is to be skipped, by its annotations} */
    static Optional<String> refusal(Optional<AnnotatedElement> element) {
        var needs = new ArrayList<Need>();
        element.map(e -> e.getAnnotation(NeedsRoot.class)).ifPresent(_ -> needs.add(Need.ROOT));
        element.map(e -> e.getAnnotation(Needs.class)).ifPresent(n -> needs.addAll(List.of(n.value())));
        return needs.stream().map(Need::refusal).flatMap(Optional::stream).findFirst();
    }

    private Optional<String> refusal() {
        if (isMet()) {
            return Optional.empty();
        }
        failIfPromised("needs " + what);
        return Optional.of("needs " + what);
    }

    private void failIfPromised(String reason) {
        if (promised(System.getenv().getOrDefault("CAISSON_REQUIRE", "")).contains(this)) {
            fail("CAISSON_REQUIRE promises " + id() + ", but: " + reason);
        }
    }

    /** {@return the needs of a list; a name that is none of them is an error, for it would promise nothing} */
    static Set<Need> promised(String list) {
        var promised = EnumSet.noneOf(Need.class);
        for (String name : list.split(",")) {
            if (!name.isBlank()) {
                promised.add(Arrays.stream(values())
                        .filter(n -> n.id().equals(name.strip()))
                        .findFirst()
                        .orElseThrow(() -> new IllegalStateException("CAISSON_REQUIRE: \"" + name + "\" is none of "
                                + Arrays.stream(values()).map(Need::id).toList())));
            }
        }
        return promised;
    }

    private static Optional<Path> find(String program) {
        return DIRECTORIES.stream()
                .map(directory -> Path.of(directory, program))
                .filter(Files::isExecutable)
                .findFirst();
    }

    private static boolean hasAppArmor() {
        Path enabled = Path.of("/sys/module/apparmor/parameters/enabled");
        try {
            return Files.exists(enabled)
                    && Files.readString(enabled).startsWith("Y")
                    && Files.isDirectory(Path.of("/sys/kernel/security/apparmor"));
        } catch (IOException unreadable) {
            return false;
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.linux.Arch;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.seccomp.Seccomp.NewerCalls;
import dev.caisson.seccomp.profile.SeccompProfile;
import dev.caisson.seccomp.profile.SeccompProfile.Target.KernelVersion;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import picocli.CommandLine.Option;

/** For which container a profile is meant. */
final class ProfileOptions {
    @Option(
            names = "--arch",
            split = ",",
            paramLabel = "ARCH",
            description = "x86_64, x86, x32, aarch64; default: those that the profile names for this host.")
    private List<String> arches = new ArrayList<>();

    @Option(
            names = "--caps",
            split = ",",
            paramLabel = "CAP",
            description = "The container's capabilities, as CAP_SYS_ADMIN, or none; default: Docker's.")
    private List<String> caps = new ArrayList<>();

    @Option(names = "--kernel", paramLabel = "VERSION", description = "As 6.18; default: the running one.")
    private String kernel = System.getProperty("os.version");

    @Option(names = "--no-enosys", description = "Newer system calls get the default action instead of ENOSYS.")
    private boolean noEnosys;

    /** {@return the policy in a file; what the profile says in vain goes to the standard error} The name "standard" is ours. */
    Seccomp policy(String file) throws IOException {
        Seccomp policy;
        if (file.equals("standard")) {
            policy = Seccomp.standard(capabilities());
            if (!arches.isEmpty()) {
                policy = policy.architectures(architectures());
            }
        } else {
            try {
                var profile = SeccompProfile.read(Path.of(file));
                var resolved = profile.resolve(
                        new SeccompProfile.Target(architectures(), capabilities(), KernelVersion.of(kernel)));
                profile.notes().forEach(note -> System.err.println(file + ": " + note));
                resolved.notes().forEach(note -> System.err.println(file + ": " + note));
                policy = resolved.policy();
            } catch (IOException wrong) {
                throw new IOException(file + ": " + wrong.getMessage(), wrong);
            }
        }
        return noEnosys ? policy.newerCalls(NewerCalls.AS_OTHERWISE) : policy;
    }

    private Set<Arch> architectures() {
        var all = EnumSet.noneOf(Arch.class);
        for (String name : arches) {
            all.add(architecture(name));
        }
        return all;
    }

    static Arch architecture(String name) {
        for (var arch : Arch.values()) {
            if (arch.name().equals(name.toUpperCase(Locale.ROOT))) {
                return arch;
            }
        }
        throw new IllegalArgumentException("--arch: \"" + name + "\" is none of x86_64, x86, x32, aarch64");
    }

    private Set<String> capabilities() {
        if (caps.isEmpty()) {
            caps = List.of(
                    "CHOWN,DAC_OVERRIDE,FSETID,FOWNER,MKNOD,NET_RAW,SETGID,SETUID,SETFCAP,SETPCAP,NET_BIND_SERVICE,SYS_CHROOT,KILL,AUDIT_WRITE"
                            .split(","));
        }
        var all = new HashSet<String>();
        for (String name : caps) {
            if (!name.equals("none") && !name.isEmpty()) {
                all.add(dev.caisson.spec.Capability.of(name).kernelName());
            }
        }
        return all;
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static dev.caisson.linux.flag.CloneFlags.CLONE_NEWUSER;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.Encoder;
import dev.caisson.linux.child.Launch;
import dev.caisson.linux.child.Launcher;
import dev.caisson.linux.child.Outcome;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.spec.IdMap;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicReference;

/**
 * User namespaces that nobody is in: each holds an id map, for mounts to be shown by. The last few are kept, since containers
 * have equal maps as a rule, and making one takes as long as a short launch. Thread-safe.
 */
public final class UserNamespaces implements AutoCloseable {
    private static final int MOST = 8;

    private final Launcher launcher;
    private final LinkedHashMap<IdMap, Fd> kept = new LinkedHashMap<>(MOST, 0.75f, true);

    public UserNamespaces(Launcher launcher) {
        this.launcher = launcher;
    }

    /** What is done with a namespace while it cannot be closed. */
    @FunctionalInterface
    interface Use {
        void with(Fd namespace) throws IOException;
    }

    /** Uses a namespace with this map; others wait meanwhile. */
    synchronized void use(IdMap map, Use use) throws IOException {
        var namespace = kept.get(map);
        if (namespace == null) {
            namespace = make(map);
            kept.put(map, namespace);
            if (kept.size() > MOST) {
                kept.pollFirstEntry().getValue().close();
            }
        }
        use.with(namespace);
    }

    /** A child makes it, and waits until we hold it in turn. */
    private Fd make(IdMap map) throws IOException {
        var held = new AtomicReference<Fd>();
        var program = SyscallProgram.builder();
        program.phase("user namespace");
        program.purpose("hold the id maps of the layers");
        program.gate(IdMapSteps.GATE);
        program.call(Syscall.EXIT_GROUP, Arg.of(0));
        Outcome outcome;
        try {
            outcome = launcher.launch(new Launch(
                    Encoder.encode(program.build(), Arch.host()),
                    Launch.Mode.ISOLATED,
                    CLONE_NEWUSER,
                    OptionalInt.empty(),
                    Map.of(),
                    Map.of(IdMapSteps.GATE, pid -> {
                        ParentSide.writeMapsHere(pid, map);
                        held.set(Files.open("/proc/" + pid + "/ns/user", OpenFlags.O_RDONLY, 0));
                    })));
        } catch (IOException | RuntimeException | Error failed) {
            var fd = held.get();
            if (fd != null) {
                fd.close();
            }
            throw failed;
        }
        if (outcome instanceof Outcome.Child child) {
            var _ = child.reap();
        }
        var fd = held.get();
        if (fd == null) {
            throw new IOException("the user namespace of the layers' id maps could not be made: " + outcome);
        }
        return fd;
    }

    @Override
    public synchronized void close() {
        kept.values().forEach(Fd::close);
        kept.clear();
    }
}

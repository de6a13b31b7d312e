// SPDX-License-Identifier: Apache-2.0
package consumer;

import dev.caisson.Container;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.linux.ByteUnit;
import dev.caisson.overlay.changes.Change;
import dev.caisson.seccomp.Seccomp;
import java.util.Optional;

/** Somebody else's program: names a type of each of Caisson's modules, and runs a command. */
public final class Main {
    private Main() {}

    public static void main(String[] args) throws Exception {
        Limits limits = Limits.none().memoryMax(64, ByteUnit.MB);
        Seccomp policy = Seccomp.standard();
        Optional<Change> change = Optional.empty();
        System.out.println(Container.bare().capture("/bin/echo", "hello from", "a container").orThrow().text());
        if (limits.memoryMax().isEmpty() || policy == null || change.isPresent()) {
            throw new IllegalStateException();
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.engine.Engine;
import dev.caisson.launch.HostFacts;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.HostPath;
import dev.caisson.overlay.store.Removal;
import dev.caisson.spec.IdMap;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Removes trees that containers of an ordinary user have left, for {@link dev.caisson.overlay.store.LayerStore#open(Path, Removal)}.
 * Their files may belong to the user's subordinate ids (subuid(5)), and only in a user namespace that has those is the user
 * root over them: there rm(1) of the host is run on what could not be removed directly.
 */
final class SubordinateRemoval implements Removal {
    private final Removal direct = Removal.here();

    @Override
    public void remove(Path directory) throws IOException {
        try {
            direct.remove(directory);
        } catch (IOException refused) {
            if (!isDenied(refused)) {
                throw refused;
            }
            inUserNamespace(directory, refused);
        }
    }

    private static boolean isDenied(IOException refused) {
        return refused.getCause() instanceof LinuxException cause
                && (cause.errno().equals(Errno.EACCES) || cause.errno().equals(Errno.EPERM));
    }

    private static void inUserNamespace(Path directory, IOException refused) throws IOException {
        var host = Engine.shared().host();
        if (host.subordinateUids().isEmpty() || host.subordinateGids().isEmpty()) {
            throw new IOException(
                    refused.getMessage() + "; its files belong to ids that are not this user's, and /etc/subuid or"
                            + " /etc/subgid gives it none",
                    refused);
        }
        Output output;
        try {
            output = Container.bare()
                    .newUser(map(host))
                    .capture("rm", "-rf", "--", HostPath.of(directory.toAbsolutePath()));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IOException("remove " + HostPath.shown(directory) + ": interrupted", interrupted);
        }
        if (!output.exit().isSuccess()) {
            throw new IOException(
                    "remove " + HostPath.shown(directory) + " in a user namespace: "
                            + output.errorText().strip(),
                    refused);
        }
    }

    /** {@return the map in which this user is root, and has all subordinate ids behind it} */
    private static IdMap map(HostFacts host) {
        return new IdMap(ranges(host.uid(), host.subordinateUids()), ranges(host.gid(), host.subordinateGids()));
    }

    private static List<IdMap.Range> ranges(long own, List<IdMap.Range> subordinate) {
        var ranges = new ArrayList<IdMap.Range>();
        ranges.add(new IdMap.Range(0, own, 1));
        long next = 1;
        for (var range : subordinate) {
            ranges.add(new IdMap.Range(next, range.outside(), range.count()));
            next += range.count();
        }
        return ranges;
    }
}

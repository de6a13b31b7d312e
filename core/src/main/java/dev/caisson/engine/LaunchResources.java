// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import dev.caisson.launch.LayerMounts;
import dev.caisson.linux.sys.Fd;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Descriptors used up by a launch, closed in every case, and what is given back only if it fails. */
final class LaunchResources implements AutoCloseable {
    private final List<Fd> used = new ArrayList<>();
    private final List<LayerMounts> mounts = new ArrayList<>();
    private final List<Volumes> volumes = new ArrayList<>();
    private final List<AutoCloseable> undo = new ArrayList<>();
    private boolean succeeded;

    Fd use(Fd fd) {
        used.add(fd);
        return fd;
    }

    void atEnd(LayerMounts made) {
        mounts.add(made);
    }

    void atEnd(Volumes made) {
        volumes.add(made);
    }

    void onFailure(AutoCloseable made) {
        undo.add(made);
    }

    void succeeded() {
        succeeded = true;
    }

    /** Closes what was used up, as a part of the launch is over. */
    void letGo() {
        for (var descriptor : used) {
            descriptor.close();
        }
        used.clear();
        for (var layers : mounts) {
            layers.close();
        }
        mounts.clear();
        for (var made : volumes) {
            made.close();
        }
        volumes.clear();
    }

    @Override
    public void close() throws IOException {
        letGo();
        if (!succeeded) {
            undo();
        }
    }

    /** One that fails, and be it by an Error, keeps no other from being undone. */
    private void undo() throws IOException {
        @Nullable Throwable first = null;
        for (var made : undo.reversed()) {
            try {
                made.close();
            } catch (Exception | Error failed) {
                if (first == null) {
                    first = failed;
                } else if (!failed.equals(first)) {
                    first.addSuppressed(failed);
                }
            }
        }
        switch (first) {
            case null -> {}
            case IOException failed -> throw failed;
            case RuntimeException failed -> throw failed;
            case Error failed -> throw failed;
            default -> throw new AssertionError(first);
        }
    }
}

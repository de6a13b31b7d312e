// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

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
    private final List<AutoCloseable> undo = new ArrayList<>();
    private boolean succeeded;

    Fd use(Fd fd) {
        used.add(fd);
        return fd;
    }

    void atEnd(LayerMounts made) {
        mounts.add(made);
    }

    void onFailure(AutoCloseable made) {
        undo.add(made);
    }

    void succeeded() {
        succeeded = true;
    }

    @Override
    public void close() throws IOException {
        used.forEach(Fd::close);
        mounts.forEach(LayerMounts::close);
        if (succeeded) {
            return;
        }
        @Nullable IOException first = null;
        for (var made : undo.reversed()) {
            try {
                made.close();
            } catch (IOException failed) {
                first = first == null ? failed : first;
            } catch (Exception impossible) {
                throw new AssertionError(impossible);
            }
        }
        if (first != null) {
            throw first;
        }
    }
}

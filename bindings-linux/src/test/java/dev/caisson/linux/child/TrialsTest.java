// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.caisson.linux.Feature;
import dev.caisson.linux.sys.Kernel;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@NeedsRoot
@ExtendWith(NoLeaks.class)
class TrialsTest {
    @TempDir
    Path directory;

    /** What root's own process can be told at once, a user without privilege learns from a child. */
    @Test
    void anOrdinaryUserLearnsOfOverlayfsWhatRootKnows() throws Exception {
        var ended = JavaAs.user(61_234, 61_234, directory).run("dev.caisson.linux.child.ProbeAll");
        assertEquals(0, ended.code(), ended.output());
        var said = ended.output().lines().toList();
        Need.USER_NAMESPACES.orSkip(said.contains("USER_NAMESPACE YES"), "needs user namespaces for ordinary users");
        for (var feature : List.of(Feature.OVERLAY, Feature.OVERLAY_LOWERDIR_APPEND, Feature.OVERLAY_USERXATTR)) {
            var ofRoot = Kernel.ofThisMachine().probe(feature);
            assertEquals(
                    List.of(feature + " " + ofRoot),
                    said.stream().filter(line -> line.startsWith(feature + " ")).toList());
        }
    }

    /** Since Linux 6.3; the trial looks at a clock behind an execve. */
    @Test
    void whetherExecveEntersATimeNamespaceIsKnown() throws Exception {
        try (var launcher = new Launcher()) {
            var answer = new Trials(launcher).attempt(Feature.TIME_NAMESPACE_AT_EXEC);
            String[] release = System.getProperty("os.version").split("[.-]");
            int version = 1000 * Integer.parseInt(release[0]) + Integer.parseInt(release[1]);
            Need.RECENT_KERNEL.orSkip(version >= 6003, "a distribution may have brought it into an older kernel");
            assertEquals(Kernel.Answer.YES, answer);
        }
    }
}

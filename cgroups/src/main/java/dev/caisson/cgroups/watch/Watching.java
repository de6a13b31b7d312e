// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.watch;

import dev.caisson.cgroups.spec.CgroupEvent;
import dev.caisson.cgroups.text.Text;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Poller;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongFunction;

/**
 * One stream of events while its files are opened.
 *
 * @param fromBegin whether what happened before is told, too
 * @param out is called on the poller's thread
 * @param lost is called if nothing more can be told
 * @param sources get what is opened, so that they can be closed if this fails halfway
 */
public record Watching(
        Poller poller,
        boolean fromBegin,
        Consumer<CgroupEvent> out,
        Consumer<LinuxException> lost,
        List<Source> sources) {

    /** Watches a control file and looks at it once; does nothing if the cgroup has none of that name. */
    public void file(Path directory, String name, Consumer<Text> changed) throws LinuxException {
        Fd fd;
        try {
            fd = Files.open(HostPath.of(directory.resolve(name)), OpenFlags.O_RDONLY, 0);
        } catch (LinuxException refused) {
            if (refused.errno().equals(Errno.ENOENT) && java.nio.file.Files.isDirectory(directory)) {
                return; // The controller is not here, or the kernel is older than the file.
            }
            throw refused;
        }
        var file = WatchedFile.watch(poller, fd, changed, lost);
        sources.add(file);
        file.look();
    }

    /** {@return what to do about the text of a file whose {@code max} counts one kind of event} */
    public Consumer<Text> counter(LongFunction<CgroupEvent> event) {
        var growth = new Growth(fromBegin, "max");
        return text -> {
            long times = growth.of(text)[0];
            if (times > 0) {
                out.accept(event.apply(times));
            }
        };
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Fails a test after which this process has other descriptors, mounts, cgroups, children, threads or executable mappings
 * than before it.
 */
public final class NoLeaks implements BeforeEachCallback, AfterEachCallback {
    private static final ExtensionContext.Namespace STORE = ExtensionContext.Namespace.create(NoLeaks.class);
    private static final String ZYGOTE = "zygote";
    private static final String LEDGER = "fd /memfd:caisson-ledger (deleted)";
    private static final int PATIENCE_MILLIS = 3000;

    @Override
    public void beforeEach(ExtensionContext context) throws Exception {
        context.getStore(STORE).put("before", snapshot());
    }

    @Override
    @SuppressWarnings("unchecked")
    public void afterEach(ExtensionContext context) throws Exception {
        var before = (List<String>) context.getStore(STORE).get("before");
        assertEqualsSoon(before);
    }

    /** Compares with an earlier {@link #snapshot}; what ends by itself gets a moment to do so. */
    public static void assertEqualsSoon(List<String> before) throws IOException, InterruptedException {
        var after = snapshot();
        for (int waited = 0; !after.equals(before) && waited < PATIENCE_MILLIS; waited += 20) {
            Thread.sleep(20);
            after = snapshot();
        }
        var appeared = new ArrayList<>(after);
        before.forEach(appeared::remove);
        var vanished = new ArrayList<>(before);
        after.forEach(vanished::remove);
        assertEquals(List.of(), appeared, "left behind");
        assertEquals(List.of(), vanished, "taken away");
    }

    /** {@return one line for each thing this process has} */
    public static List<String> snapshot() throws IOException {
        var all = new ArrayList<String>();
        all.addAll(descriptors());
        for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
            all.add("mount " + line);
        }
        all.addAll(cgroups());
        all.addAll(children());
        Thread.getAllStackTraces().keySet().stream()
                .filter(t -> !t.isVirtual() && t.getName().startsWith("caisson") && !isLongLived(t))
                .forEach(t -> all.add("thread " + t.getName()));
        for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
            if (line.contains("caisson") || line.contains("memfd")) {
                all.add("mapping " + line);
            }
        }
        // A zygote comes with the first container and stays, with the JVM's end of its socket, its pidfd, and the
        // ledger.
        while (all.remove(ZYGOTE)) {
            all.remove("fd socket:");
            all.remove("fd anon_inode:[pidfd]");
            all.remove(LEDGER);
        }
        all.removeIf(line -> line.startsWith("mapping ") && line.contains("caisson-ledger"));
        // A few user namespaces are kept for their id maps.
        all.removeIf(line -> line.equals("fd user:"));
        all.sort(null);
        return all;
    }

    private static boolean isLongLived(Thread thread) {
        return thread.getName().equals("caisson-poller")
                || thread.getName().startsWith("caisson-hand-")
                || thread.getName().equals("caisson-zygote")
                || thread.getName().startsWith("caisson-supervisor-");
    }

    private static List<String> descriptors() throws IOException {
        var all = new ArrayList<String>();
        try (Stream<Path> list = Files.list(Path.of("/proc/self/fd"))) {
            for (Path fd : list.toList()) {
                try {
                    String target = Files.readSymbolicLink(fd).toString();
                    // Jars and class files are opened when a class is first used, the list itself by this very method.
                    if (!target.endsWith(".jar")
                            && !target.contains("/proc/")
                            && !target.contains("/modules")
                            && !target.endsWith("random") // The JDK's, for names of temporary directories.
                            && !target.contains("[event")) {
                        all.add("fd " + target.replaceAll("\\[\\d+]", ""));
                    }
                } catch (NoSuchFileException closed) {
                    // It was the descriptor of the listing.
                }
            }
        }
        return all;
    }

    private static List<String> cgroups() throws IOException {
        var all = new ArrayList<String>();
        String ours = "caisson-" + ProcessHandle.current().pid() + "-";
        for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
            if (line.contains(" - cgroup")) {
                try (Stream<Path> list = Files.list(Path.of(line.split(" ")[4]))) {
                    list.filter(p -> p.getFileName().toString().startsWith(ours))
                            .forEach(p -> all.add("cgroup " + p));
                }
            }
        }
        return all;
    }

    /** A child bears the zygote's name until it runs for the first time, but leads no session. */
    private static boolean isZygote(String pid) throws IOException {
        String stat = Files.readString(Path.of("/proc", pid, "stat"));
        return stat.contains("(caisson-zygote)")
                && stat.substring(stat.lastIndexOf(')') + 2).split(" ")[3].equals(pid);
    }

    private static List<String> children() throws IOException {
        var all = new ArrayList<String>();
        try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
            for (Path task : tasks.toList()) {
                try {
                    String pids = Files.readString(task.resolve("children")).strip();
                    if (!pids.isEmpty()) {
                        for (String pid : pids.split(" ")) {
                            all.add(isZygote(pid) ? ZYGOTE : "child " + pid);
                        }
                    }
                } catch (IOException threadEnded) {
                    // Its children are another thread's now.
                }
            }
        }
        return all;
    }
}

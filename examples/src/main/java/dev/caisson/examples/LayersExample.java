// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.overlay.Overlay;
import dev.caisson.overlay.changes.PathOrigin;
import dev.caisson.overlay.changes.PathOrigin.InLayer;
import dev.caisson.overlay.changes.PathOrigin.Role;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * What a stack of layers shows, as a tree: for each path the layer it comes from, and what is hidden by whom. Nothing is
 * mounted. With an upper, also what changed in it.
 */
@Command(name = "layers", description = "Shows which layer each path comes from.")
final class LayersExample implements Callable<Integer> {
    @Parameters(arity = "1..*", description = "The layers, the topmost first.")
    private List<Path> layers = List.of();

    @Option(names = "--upper", description = "A writable layer over them; its changes are listed.")
    private Path upper = Path.of("");

    @Option(names = "--depth", defaultValue = "3", description = "How deep to go (${DEFAULT-VALUE}).")
    private int depth;

    @Override
    public Integer call() throws IOException {
        var overlay = Overlay.of(layers.toArray(Path[]::new));
        if (!upper.toString().isEmpty()) {
            overlay = overlay.withUpper(upper);
            try (var changes = overlay.changes()) {
                changes.forEach(System.out::println);
            }
        }
        System.out.println("/");
        print(overlay, "/", "", depth);
        return 0;
    }

    private static void print(Overlay overlay, String path, String indent, int depth) throws IOException {
        var entries = overlay.list(path);
        for (int i = 0; i < entries.size(); i++) {
            var entry = entries.get(i);
            boolean last = i == entries.size() - 1;
            System.out.println(indent + (last ? "└── " : "├── ") + name(entry) + "  " + text(entry));
            boolean directory =
                    entry.kind().map(k -> k.name().equals("DIRECTORY")).orElse(false);
            if (directory && depth > 1) {
                print(overlay, entry.path(), indent + (last ? "    " : "│   "), depth - 1);
            }
        }
    }

    private static String name(PathOrigin entry) {
        String name = entry.path().substring(entry.path().lastIndexOf('/') + 1);
        return entry.kind().isPresent() ? name : "(" + name + ")";
    }

    private static String text(PathOrigin entry) {
        return entry.layers().stream().map(LayersExample::text).collect(Collectors.joining(", "));
    }

    private static String text(InLayer here) {
        String role = switch (here.role()) {
            case FILE, DIRECTORY -> "";
            case METADATA_ONLY -> " metadata only";
            case OPAQUE_DIRECTORY -> " hides the rest";
            case REDIRECT -> " was " + here.redirect().orElse("");
            case WHITEOUT -> " deletes it";
        };
        boolean hidden = !here.shows() && here.role() != Role.WHITEOUT;
        return here.layer().getFileName() + role + (hidden ? " (hidden)" : "");
    }
}

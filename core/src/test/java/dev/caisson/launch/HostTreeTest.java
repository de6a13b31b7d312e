// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.testkit.Need;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class HostTreeTest {
    private final Set<String> whole = new HashSet<>();
    private final Set<String> attributes = new HashSet<>();

    private static boolean isEmpty(Path directory) throws IOException {
        try (var names = Files.list(directory)) {
            return names.findAny().isEmpty();
        }
    }

    @Test
    void onlyWhatHasEntriesTakesAnOverlay() throws Exception {
        var tree = HostTree.read(whole, attributes);
        int overlays = 0;
        for (var entry : tree.entries()) {
            Path path = Path.of("/" + entry.name());
            if (entry.kind() == HostTree.Kind.OVERLAID && Files.isReadable(path)) {
                assertFalse(isEmpty(path), entry.toString());
                overlays++;
            }
        }
        assertTrue(overlays > 0, tree.toString());
    }

    @Test
    void whatIsTakenForEmptyIsLookedAtAgainWhenItIsNot() throws Exception {
        var empty = HostTree.read(whole, attributes).entries().stream()
                .filter(entry -> entry.kind() == HostTree.Kind.DIRECTORY)
                .map(entry -> "/" + entry.name())
                .filter(name -> new java.io.File(name).list() instanceof String[] names && names.length == 0)
                .toList();
        if (empty.isEmpty()) {
            Need.doesNotApply("this host has no empty directory in /");
        }
        assertTrue(whole.containsAll(empty), empty + " of " + whole);
    }

    @Test
    void allDirectoriesAndFilesAreWatchedForTheirModes() throws Exception {
        for (var entry : HostTree.read(whole, attributes).entries()) {
            boolean isLink = entry.kind() == HostTree.Kind.SYMLINK;
            assertEquals(!isLink, attributes.contains("/" + entry.name()), entry.toString());
        }
        assertTrue(whole.contains("/"));
    }
}

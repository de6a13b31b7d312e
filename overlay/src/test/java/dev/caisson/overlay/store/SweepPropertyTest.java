// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.store;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Whatever is done in whatever order, a sweep leaves what a simple model says can be reached, and nothing else. */
class SweepPropertyTest {
    /** What to do, with which earlier layer, under which name. */
    record Action(int what, int layer, int name) {}

    @Provide
    Arbitrary<List<Action>> actions() {
        return net.jqwik.api.Combinators.combine(
                        Arbitraries.integers().between(0, 4),
                        Arbitraries.integers().between(0, 9),
                        Arbitraries.integers().between(0, 2))
                .as(Action::new)
                .list()
                .ofMaxSize(25);
    }

    @Property(tries = 60)
    void aSweepLeavesWhatCanBeReached(@ForAll("actions") List<Action> actions) throws IOException {
        Path directory = Files.createTempDirectory("caisson-sweep");
        try {
            run(directory, actions);
        } finally {
            Removal.here().remove(directory);
        }
    }

    private static void run(Path directory, List<Action> actions) throws IOException {
        Path base = Files.createDirectory(directory.resolve("base"));
        var made = new ArrayList<Layer>();
        var alive = new HashMap<LayerId, Layer>();
        var names = new HashMap<String, LayerId>();
        var leases = new HashMap<LayerLease, LayerId>();
        try (var store = LayerStore.open(directory.resolve("store"))) {
            for (var action : actions) {
                var chosen = action.layer() < made.size() ? made.get(action.layer()) : null;
                boolean there = chosen != null && alive.containsKey(chosen.id());
                String name = "name" + action.name();
                switch (action.what()) {
                    case 0 -> {
                        try (var branch = there ? store.branch(chosen) : store.branch(base)) {
                            var layer = branch.commit();
                            made.add(layer);
                            alive.put(layer.id(), layer);
                        }
                    }
                    case 1 -> {
                        if (there) {
                            store.reference(name, chosen);
                            names.put(name, chosen.id());
                        }
                    }
                    case 2 -> {
                        store.release(name);
                        names.remove(name);
                    }
                    case 3 -> {
                        if (there) {
                            leases.put(store.lease(chosen), chosen.id());
                        } else if (!leases.isEmpty()) {
                            var lease = leases.keySet().iterator().next();
                            lease.close();
                            leases.remove(lease);
                        }
                    }
                    default -> {
                        var _ = store.sweep();
                        var reached = new HashSet<LayerId>();
                        names.values().forEach(id -> reach(id, alive, reached));
                        leases.values().forEach(id -> reach(id, alive, reached));
                        alive.keySet().retainAll(reached);
                    }
                }
                assertEquals(alive.keySet(), ids(store));
            }
            for (var lease : leases.keySet()) {
                lease.close();
            }
        }
    }

    private static void reach(LayerId from, Map<LayerId, Layer> alive, Set<LayerId> reached) {
        for (var id = Optional.of(from);
                id.isPresent();
                id = alive.get(id.get()).parent()) {
            reached.add(id.get());
        }
    }

    private static Set<LayerId> ids(LayerStore store) throws IOException {
        var ids = new HashSet<LayerId>();
        store.layers().forEach(layer -> ids.add(layer.id()));
        return ids;
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.caisson.cgroups.spec.OutOfMemory;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class ContainerCgroupTest {
    @Test
    void withoutTheLogTheCommandIsTheVictimThatIsKnown() {
        var unknown = new OutOfMemory(
                OutOfMemory.Scope.HOST, Optional.empty(), OptionalLong.empty(), OptionalLong.empty(), 2, List.of());
        var known = ContainerCgroup.withCommand(unknown, OptionalLong.of(42));
        assertEquals(List.of(new OutOfMemory.Victim(42, Optional.empty())), known.victims());
        assertEquals(known, ContainerCgroup.withCommand(known, OptionalLong.of(43)));
        assertEquals(unknown, ContainerCgroup.withCommand(unknown, OptionalLong.empty()));
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.spec.BlockDevice;
import dev.caisson.cgroups.spec.Usage.Share;
import dev.caisson.cgroups.spec.Usage.Stall;
import dev.caisson.cgroups.usage.DeviceNumber;
import dev.caisson.cgroups.usage.PressureFile;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

/** What the kernel prints, read back. */
class KeyedFilesTest {
    private static final String[] KEYS = {"low", "high", "max", "oom", "oom_kill", "oom_group_kill"};

    @Provide
    Arbitrary<Map<String, Long>> counters() {
        var keys = Arbitraries.of(KEYS);
        var unknown = Arbitraries.of("sock_throttled", "lower", "ma", "oom_", "m");
        var numbers = Arbitraries.longs().between(0, Long.MAX_VALUE);
        return Arbitraries.maps(Arbitraries.oneOf(keys, unknown), numbers).ofMaxSize(9);
    }

    @Property
    void flatKeyedFilesAreReadBack(@ForAll("counters") Map<String, Long> counters) {
        String text = counters.entrySet().stream()
                .map(e -> e.getKey() + " " + e.getValue() + "\n")
                .collect(Collectors.joining());
        var found = new FlatKeyed(KEYS).parse(Text.of(text));
        for (int i = 0; i < KEYS.length; i++) {
            assertEquals(optional(counters.get(KEYS[i])), found.get(i), KEYS[i] + " in " + text);
        }
    }

    private static OptionalLong optional(@org.jspecify.annotations.Nullable Long value) {
        return value == null ? OptionalLong.empty() : OptionalLong.of(value);
    }

    @Provide
    Arbitrary<Map<BlockDevice, Map<String, Long>>> disks() {
        var device = net.jqwik.api.Combinators.combine(
                        Arbitraries.integers().between(0, 0xfff),
                        Arbitraries.integers().between(0, 0xfffff))
                .as(BlockDevice::new);
        return Arbitraries.maps(device, counters()).ofMaxSize(4);
    }

    @Property
    void nestedKeyedFilesAreReadBack(@ForAll("disks") Map<BlockDevice, Map<String, Long>> disks) {
        String text = disks.entrySet().stream()
                .map(disk -> disk.getKey()
                        + disk.getValue().entrySet().stream()
                                .map(e -> " " + e.getKey() + "=" + e.getValue())
                                .collect(Collectors.joining())
                        + "\n")
                .collect(Collectors.joining());
        var found = new NestedKeyed(KEYS).parse(Text.of(text), DeviceNumber::read);
        assertEquals(disks.keySet(), found.keySet(), text);
        disks.forEach((disk, counters) -> {
            for (int i = 0; i < KEYS.length; i++) {
                assertEquals(optional(counters.get(KEYS[i])), found.get(disk).get(i), KEYS[i] + " in " + text);
            }
        });
    }

    @Property
    void pressureFilesAreReadBack(
            @ForAll @IntRange(max = 10_000) int avg10,
            @ForAll @IntRange(max = 10_000) int avg60,
            @ForAll @IntRange(max = 10_000) int avg300,
            @ForAll @LongRange(max = Long.MAX_VALUE) long micros,
            @ForAll boolean withSome) {
        String line = String.format(
                Locale.ROOT,
                "avg10=%d.%02d avg60=%d.%02d avg300=%d.%02d total=%d\n",
                avg10 / 100,
                avg10 % 100,
                avg60 / 100,
                avg60 % 100,
                avg300 / 100,
                avg300 % 100,
                micros);
        var share = new Share(
                avg10 / 100 + avg10 % 100 / 100.0,
                avg60 / 100 + avg60 % 100 / 100.0,
                avg300 / 100 + avg300 % 100 / 100.0,
                Duration.ofSeconds(micros / 1_000_000, micros % 1_000_000 * 1000));
        assertEquals(
                new Stall(withSome ? Optional.of(share) : Optional.empty(), Optional.of(share)),
                PressureFile.parse(Text.of((withSome ? "some " + line : "") + "full " + line)));
    }

    @Property
    void noTextBreaksThem(@ForAll String text) {
        var _ = new FlatKeyed(KEYS).parse(Text.of(text));
        var _ = new NestedKeyed(KEYS).parse(Text.of(text), DeviceNumber::read);
        var _ = PressureFile.parse(Text.of(text));
        var _ = Text.of(text).number();
    }

    @Property
    void noNearlyRightTextBreaksThem(@ForAll("nearly") List<String> words) {
        noTextBreaksThem(String.join("", words));
    }

    @Provide
    Arbitrary<List<String>> nearly() {
        return Arbitraries.of(
                        "oom", "oom_kill", " ", "=", "\n", "7", "8:0", "some ", "full ", "avg10", ".", "max", "-1")
                .list()
                .ofMaxSize(30);
    }

    @Test
    void numbersTooLargeStayAtTheLargest() {
        assertEquals(
                OptionalLong.of(Long.MAX_VALUE), Text.of("18446744073709551615").number());
        assertTrue(Text.of("max").number().isEmpty());
    }

    @Test
    void unlimitedIsNoNumber() {
        var found = new NestedKeyed("hca_handle", "hca_object")
                .parse(Text.of("mlx4_0 hca_handle=2 hca_object=max\n"), t -> Optional.of(t.word()));
        assertEquals(OptionalLong.of(2), found.get("mlx4_0").get(0));
        assertEquals(OptionalLong.empty(), found.get("mlx4_0").get(1));
    }
}

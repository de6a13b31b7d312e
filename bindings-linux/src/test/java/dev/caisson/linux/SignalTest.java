// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.raw.uapi.Uapi;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SignalTest {
    @Test
    void hasEveryStandardSignalOfTheKernelHeaders() throws Exception {
        Map<String, Integer> ours = new TreeMap<>();
        for (int number = 1; number < 32; number++) {
            ours.put(Signal.of(number).name(), number);
        }
        assertEquals(GeneratedConstants.of(Uapi.class, "SIG[A-Z0-9]+"), ours);
    }

    @Test
    void isNamedAsItsConstant() throws Exception {
        for (var field : Signal.class.getFields()) {
            assertEquals(field.get(null), Signal.of(field.getName()));
        }
    }

    @Test
    void namesEachSignalAsTheCLibraryDoes() {
        CLibrary.needs("sigabbrev_np");
        for (int number = 1; number < 34; number++) {
            Optional<String> name = CLibrary.text("sigabbrev_np", number);
            assertEquals(Signal.of(number), Signal.of(name.orElse(Integer.toString(number))));
            assertEquals(number < 32, name.isPresent(), "signal " + number);
        }
    }

    @Test
    void countsRealTimeSignalsFromTheFirstThatGlibcLeavesFree() {
        CLibrary.needs("__libc_current_sigrtmin");
        CLibrary.needs("gnu_get_libc_version");
        assertEquals(
                CLibrary.number("__libc_current_sigrtmin"),
                Signal.of("SIGRTMIN").number());
        assertEquals(
                CLibrary.number("__libc_current_sigrtmax"),
                Signal.of("SIGRTMAX").number());
    }

    @ParameterizedTest
    @CsvSource({
        "TERM, 15",
        "SIGTERM, 15",
        "sigterm, 15",
        "15, 15",
        "SIGCLD, 17",
        "RTMIN, 34",
        "SIGRTMIN+3, 37",
        "rtmin+30, 64",
        "RTMAX-1, 63",
        "SIGRTMAX, 64",
        "32, 32",
        "64, 64"
    })
    void readsWhatKillAndStopsignalTake(String written, int number) {
        assertEquals(Signal.of(number), Signal.of(written));
    }

    @Property
    void readsItsOwnNameInEitherCaseWithOrWithoutPrefix(@ForAll @IntRange(min = 1, max = 64) int number) {
        Signal signal = Signal.of(number);
        assertEquals(signal, Signal.of(signal.name()));
        assertEquals(signal, Signal.of(signal.name().toLowerCase(Locale.ROOT)));
        assertEquals(signal, Signal.of(signal.name().replaceFirst("^SIG", "")));
        assertEquals(signal, Signal.of(Integer.toString(number)));
    }

    @Property
    void refusesNumbersThatNoSignalHas(@ForAll int number) {
        if (number < 1 || number > 64) {
            assertThrows(IllegalArgumentException.class, () -> Signal.of(number));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "0", "65", "-1", "015", "SIG", "SIG15", "SIGSIGTERM", "SIGRTMIN+31", "RTMIN-1", "RTMIN+03"})
    void refusesNamesThatMeanNothing(String name) {
        var refusal = assertThrows(IllegalArgumentException.class, () -> Signal.of(name));
        assertTrue(refusal.getMessage().contains('"' + name + '"'), refusal.getMessage());
    }
}

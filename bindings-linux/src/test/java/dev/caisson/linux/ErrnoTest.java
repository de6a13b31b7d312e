// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.raw.uapi.Uapi;
import java.lang.reflect.Modifier;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ErrnoTest {
    private static final Set<String> ALIASES = Set.of("EWOULDBLOCK", "EDEADLOCK", "ENOTSUP");

    @Test
    void hasEveryErrorOfTheKernelHeaders() throws Exception {
        Map<String, Integer> kernel = GeneratedConstants.of(Uapi.class, "E(?!CHO|LF|POLL)[A-Z0-9]+");
        Map<String, Integer> ours = new TreeMap<>();
        for (var field : Errno.class.getFields()) {
            if (Modifier.isStatic(field.getModifiers()) && !ALIASES.contains(field.getName())) {
                ours.put(field.getName(), ((Errno) field.get(null)).code());
            }
        }
        assertEquals(kernel, ours);
    }

    @Test
    void isNamedAsItsConstant() throws Exception {
        for (var field : Errno.class.getFields()) {
            Errno errno = (Errno) field.get(null);
            assertEquals(errno, Errno.of(field.getName()));
            assertTrue(ALIASES.contains(field.getName()) || errno.name().equals(field.getName()), field.getName());
        }
    }

    @Test
    void describesEachErrorAsTheCLibraryDoes() {
        CLibrary.needs("strerrordesc_np");
        CLibrary.needs("strerrorname_np");
        for (int code = 1; code <= 4095; code++) {
            Errno errno = new Errno(code);
            CLibrary.text("strerrorname_np", code).ifPresent(name -> assertEquals(errno, Errno.of(name)));
            CLibrary.text("strerrordesc_np", code).ifPresent(text -> assertEquals(text, errno.description()));
        }
        // A C library older than an error of the newest headers knows nothing of it; all older ones it must know.
        assertTrue(CLibrary.text("strerrorname_np", Errno.EHWPOISON.code()).isPresent());
    }

    @Test
    void printsNameAndDescription() {
        assertEquals("EPERM (Operation not permitted)", Errno.EPERM.toString());
        assertEquals("524 (Unknown error 524)", new Errno(524).toString());
    }

    @Property
    void readsItsOwnNameAndNumber(@ForAll @IntRange(min = 1, max = 4095) int code) {
        Errno errno = new Errno(code);
        assertEquals(errno, Errno.of(errno.name()));
        assertEquals(errno, Errno.of(Integer.toString(code)));
    }

    @Property
    void refusesWhatNoSystemCallReturns(@ForAll int code) {
        if (code < 1 || code > 4095) {
            assertThrows(IllegalArgumentException.class, () -> new Errno(code));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0", "4096", "-1", "01", "1.0", " 1", "EWHAT", "eperm", "EPERM ", "99999999999"})
    void refusesNamesThatMeanNothing(String name) {
        var refusal = assertThrows(IllegalArgumentException.class, () -> Errno.of(name));
        assertTrue(refusal.getMessage().contains('"' + name + '"'), refusal.getMessage());
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.mark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.sys.Directory;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.file.Path;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.AlphaChars;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@NeedsRoot
@ExtendWith(NoLeaks.class)
class MarksTest {
    @TempDir
    Path temporary;

    @ParameterizedTest
    @EnumSource(Mark.Encoding.class)
    void aWhiteoutReadsAsItWasWritten(Mark.Encoding encoding) throws Exception {
        for (var names : XattrNamespace.values()) {
            try (var directory = Directory.open(temporary.toString())) {
                String name = "gone\n" + names;
                new MarkWriter(names).whiteout(directory, name, encoding);
                var reader = new MarkReader(names);
                assertEquals(
                        Optional.of(new Mark.Whiteout(encoding)),
                        reader.whiteout(
                                directory,
                                reader.directory(directory),
                                name,
                                directory.stat(name).orElseThrow()));
            }
        }
    }

    @Test
    void anEmptyFileIsNoWhiteoutUnlessItsDirectorySaysThereAreSuch() throws Exception {
        try (var directory = Directory.open(temporary.toString())) {
            new MarkWriter(XattrNamespace.TRUSTED).whiteout(directory, "file", Mark.Encoding.XATTR);
            var stat = directory.stat("file").orElseThrow();
            assertEquals(
                    Optional.empty(),
                    new MarkReader(XattrNamespace.TRUSTED).whiteout(directory, Mark.PLAIN_DIRECTORY, "file", stat));
        }
    }

    @Test
    void marksOfTheOtherNamespaceMeanNothing() throws Exception {
        try (var directory = Directory.open(temporary.toString())) {
            new MarkWriter(XattrNamespace.USER).opaque(directory);
            assertTrue(new MarkReader(XattrNamespace.USER).directory(directory).opaque());
            assertEquals(Mark.PLAIN_DIRECTORY, new MarkReader(XattrNamespace.TRUSTED).directory(directory));
        }
    }

    @Property
    void archivedWhiteoutsComeBack(@ForAll @AlphaChars @StringLength(min = 1, max = 250) String name) {
        assertEquals(Optional.of(name), OciNames.hidden(OciNames.whiteout(name)));
    }

    @Test
    void theOpaqueMarkOfAnArchiveHidesNoName() {
        assertEquals(Optional.empty(), OciNames.hidden(OciNames.OPAQUE));
        assertEquals(Optional.empty(), OciNames.hidden("plain"));
        assertThrows(IllegalArgumentException.class, () -> OciNames.whiteout(".wh.x"));
    }
}

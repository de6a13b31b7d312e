// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.platform.commons.annotation.Testable;

/** The rules of the tests themselves, over all modules whose tests are compiled. */
class TestsArchitectureTest {
    /** The names that maven-surefire-plugin looks for where the build names none. */
    private static final String RUN = "Test.*|.*Test|.*Tests|.*TestCase";

    private static final JavaClasses TESTS = new ClassFileImporter().importPaths(directories());

    /** The directory of this module's test classes tells those of the others. */
    private static List<Path> directories() {
        try (var modules = Files.list(Path.of("").toAbsolutePath().getParent())) {
            Path own = Path.of(TestsArchitectureTest.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            Path inModule = own.subpath(own.getNameCount() - 2, own.getNameCount());
            Path all = own.getParent().getParent().getParent();
            var directories = new ArrayList<Path>();
            for (Path module : modules.filter(m -> Files.isDirectory(m.resolve("src/test/java")))
                    .toList()) {
                Path classes = all.resolve(module.getFileName()).resolve(inModule);
                if (Files.isDirectory(classes)) {
                    directories.add(classes);
                }
            }
            assertTrue(directories.size() >= 5, directories::toString);
            return directories;
        } catch (IOException | URISyntaxException impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static boolean hasTests(JavaClass c) {
        return !c.getModifiers().contains(JavaModifier.ABSTRACT)
                && c.getAllMethods().stream().anyMatch(m -> m.isMetaAnnotatedWith(Testable.class));
    }

    /** What is nested is run with the class around it. */
    private static String simpleNameOfOutermost(JavaClass c) {
        String name = c.getName().substring(c.getPackageName().length() + 1);
        return name.split("\\$", 2)[0];
    }

    @Test
    void everyClassWithTestsHasANameThatTheRunnerLooksFor() {
        var tests = TESTS.stream().filter(TestsArchitectureTest::hasTests).toList();
        assertTrue(tests.size() > 100, "only " + tests.size() + " classes with tests");
        assertEquals(
                List.of(),
                tests.stream()
                        .filter(c -> !simpleNameOfOutermost(c).matches(RUN))
                        .map(JavaClass::getName)
                        .sorted()
                        .toList());
    }

    /** So that CAISSON_REQUIRE reaches each skip. */
    @Test
    void testsAreSkippedForANeedAlone() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.caisson.testkit")
                .should()
                .dependOnClassesThat(DescribedPredicate.describe(
                        "skip tests",
                        c -> c.getName()
                                .matches("org\\.junit\\.jupiter\\.api\\.(Assumptions|Disabled)"
                                        + "|org\\.junit\\.jupiter\\.api\\.condition\\..*"
                                        + "|org\\.opentest4j\\.(TestAbortedException|TestSkippedException)"
                                        + "|net\\.jqwik\\.api\\.(Assume|Disabled)")))
                .check(TESTS);
    }
}

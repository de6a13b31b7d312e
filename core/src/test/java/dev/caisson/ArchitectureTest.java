// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaPackage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/** The rules that keep the house as it was planned; the module system already keeps the modules apart. */
class ArchitectureTest {
    private static final int LONGEST_FILE = 600;

    @Test
    void packagesHaveNoCycles() {
        slices().matching("dev.caisson.(**)").should().beFreeOfCycles().check(Production.CLASSES);
    }

    @Test
    void whatBindsToTheKernelKnowsNothingAbove() {
        noClasses()
                .that()
                .resideInAPackage("dev.caisson.linux..")
                .should()
                .dependOnClassesThat(DescribedPredicate.describe(
                        "lie above",
                        c -> c.getPackageName().startsWith("dev.caisson")
                                && !c.getPackageName().startsWith("dev.caisson.linux")))
                .check(Production.CLASSES);
    }

    @Test
    void siblingsNeverSeeEachOther() {
        for (String one : List.of("seccomp", "cgroups", "overlay")) {
            for (String other : List.of("seccomp", "cgroups", "overlay")) {
                if (!one.equals(other)) {
                    noClasses()
                            .that()
                            .resideInAPackage("dev.caisson." + one + "..")
                            .should()
                            .dependOnClassesThat()
                            .resideInAPackage("dev.caisson." + other + "..")
                            .check(Production.CLASSES);
                }
            }
        }
    }

    @Test
    void onlyTheNativeLayerTouchesGeneratedBindings() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.caisson.linux..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.caisson.linux.raw..")
                .check(Production.CLASSES);
    }

    @Test
    void noFieldIsStaticAndMutable() {
        fields().that()
                .areStatic()
                .and()
                .areDeclaredInClassesThat()
                .resideOutsideOfPackage("dev.caisson.linux.raw..")
                .should()
                .beFinal()
                .check(Production.CLASSES);
    }

    @Test
    void nothingIsCalledImplOrUtil() {
        classes()
                .that()
                .resideOutsideOfPackage("dev.caisson.linux.raw..")
                .should()
                .haveNameNotMatching(".*(Impl|Utils?|Helpers?|Manager)$")
                .check(Production.CLASSES);
    }

    @Test
    void everyPackageIsNullMarked() {
        var unmarked = Production.CLASSES.stream()
                .map(JavaClass::getPackage)
                .distinct()
                .filter(p -> !p.getRelativeName().isEmpty())
                .filter(p ->
                        p.getClasses().stream().anyMatch(c -> !c.getSimpleName().equals("package-info")))
                .filter(p -> !p.getName().startsWith("dev.caisson.linux.raw"))
                .filter(p -> !p.isAnnotatedWith(NullMarked.class))
                .map(JavaPackage::getName)
                .toList();
        assertEquals(List.of(), unmarked);
    }

    @Test
    void noSourceFileIsLongerThan600Lines() throws IOException {
        Path top = Path.of("").toAbsolutePath().getParent();
        assertTrue(Files.exists(top.resolve("bindings-linux")), top + " is not the project");
        var tooLong = new ArrayList<String>();
        try (var files = Files.walk(top)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".java"))
                    .filter(f -> f.toString().contains("/src/main/java/")
                            || f.toString().contains("/src/test/java/"))
                    .toList()) {
                int lines = Files.readAllLines(file).size();
                assertFalse(lines == 0, file + " is empty");
                if (lines > LONGEST_FILE) {
                    tooLong.add(top.relativize(file) + ": " + lines);
                }
            }
        }
        assertEquals(List.of(), tooLong);
    }
}

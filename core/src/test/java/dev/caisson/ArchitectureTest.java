// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import dev.caisson.cgroups.Cgroup;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/** The rules that keep the house as it was planned; the module system already keeps the modules apart. */
class ArchitectureTest {
    private static final int LONGEST_FILE = 600;
    private static final Set<String> EXPORTED = Set.of(
            "dev.caisson",
            "dev.caisson.spec",
            "dev.caisson.linux",
            "dev.caisson.seccomp",
            "dev.caisson.seccomp.bpf",
            "dev.caisson.seccomp.profile",
            "dev.caisson.cgroups",
            "dev.caisson.cgroups.spec",
            "dev.caisson.overlay");

    /** Imported once for all tests: it takes seconds. */
    private static final JavaClasses PRODUCTION = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .withImportOption(location -> !location.contains("/testkit/")
                    && !location.contains("/test/")
                    && !location.contains("/jmh_generated/")
                    && !location.contains("-tests.jar"))
            .importPackages("dev.caisson");

    @Test
    void packagesHaveNoCycles() {
        slices().matching("dev.caisson.(**)").should().beFreeOfCycles().check(PRODUCTION);
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
                .check(PRODUCTION);
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
                            .check(PRODUCTION);
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
                .check(PRODUCTION);
    }

    @Test
    void whatUsersSeeNamesNoPointersAndNothingHidden() {
        methods()
                .that()
                .arePublic()
                .and()
                .areDeclaredInClassesThat(DescribedPredicate.describe("are seen by users", ArchitectureTest::isSeen))
                .and()
                .areNotDeclaredIn(Cgroup.class)
                .should(nameOnlyWhatUsersSee())
                .check(PRODUCTION);
    }

    private static boolean isSeen(JavaClass c) {
        return EXPORTED.contains(c.getPackageName())
                && c.getModifiers().contains(JavaModifier.PUBLIC)
                && c.getEnclosingClass().map(ArchitectureTest::isSeen).orElse(true);
    }

    private static ArchCondition<JavaMethod> nameOnlyWhatUsersSee() {
        return new ArchCondition<>("name only types that users see") {
            @Override
            public void check(JavaMethod method, ConditionEvents events) {
                var types = new ArrayList<>(method.getRawParameterTypes());
                types.add(method.getRawReturnType());
                for (var type : types) {
                    var element = type.getBaseComponentType();
                    boolean ours = element.getPackageName().startsWith("dev.caisson");
                    if (ours && !isSeen(element)
                            || element.isEquivalentTo(MemorySegment.class)
                            || element.isEquivalentTo(MethodHandle.class)) {
                        events.add(SimpleConditionEvent.violated(
                                method, method.getFullName() + " names " + element.getName()));
                    }
                }
            }
        };
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
                .check(PRODUCTION);
    }

    @Test
    void nothingIsCalledImplOrUtil() {
        classes()
                .that()
                .resideOutsideOfPackage("dev.caisson.linux.raw..")
                .should()
                .haveNameNotMatching(".*(Impl|Utils?|Helpers?|Manager)$")
                .check(PRODUCTION);
    }

    @Test
    void everyPackageIsNullMarked() {
        var unmarked = PRODUCTION.stream()
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

// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePathScanner;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaType;
import com.tngtech.archunit.core.domain.JavaTypeVariable;
import com.tngtech.archunit.core.domain.ThrowsDeclaration;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What users see of all modules: types they can name, documented, and not too many of them. */
class PublicSurfaceTest {
    /** Types of which nothing is nested in another one. It may shrink; what grows it nests something, or hides it. */
    private static final int MOST_TYPES = 81;

    @Test
    void signaturesNameOnlyWhatUsersCanName() {
        var hidden = new TreeSet<String>();
        for (var type : Production.CLASSES) {
            if (Production.isSeen(type)) {
                members(type)
                        .forEach(member -> involved(member)
                                .filter(PublicSurfaceTest::isHidden)
                                .forEach(named -> hidden.add(member.getFullName() + " names " + named.getName())));
                heritage(type)
                        .filter(PublicSurfaceTest::isHidden)
                        .forEach(named -> hidden.add(type.getName() + " is a " + named.getName()));
                type.getFields().stream()
                        .filter(f -> isPromised(f.getModifiers()))
                        .forEach(field -> field.getType().getAllInvolvedRawTypes().stream()
                                .filter(PublicSurfaceTest::isHidden)
                                .forEach(named -> hidden.add(field.getFullName() + " names " + named.getName())));
            }
        }
        assertEquals("", String.join("\n", hidden));
    }

    /** What a class that users cannot name hands down to one they can is seen, too. */
    private static Stream<JavaCodeUnit> members(JavaClass type) {
        return Stream.concat(type.getConstructors().stream(), type.getAllMethods().stream())
                .filter(m -> m.getOwner().getPackageName().startsWith("dev.caisson"))
                .filter(m -> isPromised(m.getModifiers()));
    }

    private static boolean isPromised(Set<JavaModifier> modifiers) {
        return (modifiers.contains(JavaModifier.PUBLIC) || modifiers.contains(JavaModifier.PROTECTED))
                && !modifiers.contains(JavaModifier.SYNTHETIC)
                && !modifiers.contains(JavaModifier.BRIDGE);
    }

    private static Stream<JavaClass> involved(JavaCodeUnit member) {
        var types = new ArrayList<JavaType>(member.getParameterTypes());
        types.add(member.getReturnType());
        for (JavaTypeVariable<?> variable : member.getTypeParameters()) {
            types.addAll(variable.getUpperBounds());
        }
        return Stream.concat(
                types.stream().flatMap(t -> t.getAllInvolvedRawTypes().stream()),
                member.getThrowsClause().stream().map(ThrowsDeclaration::getRawType));
    }

    /** Superclasses of the same package may be hidden: what they have is found among the members. */
    private static Stream<JavaClass> heritage(JavaClass type) {
        var types = new ArrayList<JavaType>(type.getInterfaces());
        type.getRawSuperclass()
                .filter(c -> !c.getPackageName().equals(type.getPackageName()))
                .ifPresent(types::add);
        for (JavaTypeVariable<?> variable : type.getTypeParameters()) {
            types.addAll(variable.getUpperBounds());
        }
        return types.stream().flatMap(t -> t.getAllInvolvedRawTypes().stream());
    }

    /** Neither the JDK's nor ours and seen; and no pointers. */
    private static boolean isHidden(JavaClass named) {
        var element = named.getBaseComponentType();
        if (element.getPackageName().startsWith("dev.caisson")) {
            return !Production.isSeen(element);
        }
        boolean ofTheJdk = element.isPrimitive()
                || element.getPackageName().startsWith("java.")
                || element.getPackageName().startsWith("jdk.jfr");
        return !ofTheJdk || element.isEquivalentTo(MemorySegment.class) || element.isEquivalentTo(MethodHandle.class);
    }

    @Test
    void thereAreNotTooManyTypesToLearn() {
        var types = Production.CLASSES.stream()
                .filter(c -> c.isTopLevelClass() && Production.isSeen(c))
                .collect(Collectors.groupingBy(JavaClass::getPackageName, Collectors.counting()));
        long sum = types.values().stream().mapToLong(Long::longValue).sum();
        assertTrue(sum <= MOST_TYPES, sum + " public types in exported packages, at most " + MOST_TYPES + ": " + types);
    }

    /** Modules of which nothing is missing; the others follow. */
    @ParameterizedTest
    @ValueSource(strings = {"bindings-linux", "seccomp", "cgroups", "overlay", "core"})
    void everyPublicTypeAndMethodHasAComment(String module) throws IOException {
        assertEquals(List.of(), undocumented(module));
    }

    private static List<String> undocumented(String module) throws IOException {
        var compiler = ToolProvider.getSystemJavaCompiler();
        try (var files = compiler.getStandardFileManager(null, Locale.ROOT, StandardCharsets.UTF_8)) {
            var sources = Production.exportedSources(module);
            assertTrue(!sources.isEmpty(), module + " exports nothing");
            var task = (JavacTask) compiler.getTask(
                    null, files, null, List.of("-proc:none"), null, files.getJavaFileObjectsFromPaths(sources));
            var comments = DocTrees.instance(task);
            var missing = new ArrayList<String>();
            var units = new ArrayList<CompilationUnitTree>();
            task.parse().forEach(units::add);
            var inherited = inherited(units);
            for (var unit : units) {
                var _ = new Undocumented(comments, unit, inherited, missing).scan(unit, null);
            }
            return missing;
        }
    }

    /** The names of classes that others extend: what hidden ones of them have is seen by way of public ones. */
    private static Set<String> inherited(List<CompilationUnitTree> units) {
        var names = new TreeSet<String>();
        for (var unit : units) {
            for (var type : unit.getTypeDecls()) {
                if (type instanceof ClassTree c && c.getExtendsClause() != null) {
                    names.add(c.getExtendsClause().toString());
                }
            }
        }
        return names;
    }

    /** Collects what users see and nothing is said of. */
    private static final class Undocumented extends TreePathScanner<@Nullable Void, @Nullable Void> {
        private final DocTrees comments;
        private final CompilationUnitTree unit;
        private final Set<String> inherited;
        private final List<String> missing;

        Undocumented(DocTrees comments, CompilationUnitTree unit, Set<String> inherited, List<String> missing) {
            this.comments = comments;
            this.unit = unit;
            this.inherited = inherited;
            this.missing = missing;
        }

        @Override
        public @Nullable Void visitClass(ClassTree type, @Nullable Void nothing) {
            if (!isPublic(type.getModifiers().getFlags())
                    && !inherited.contains(type.getSimpleName().toString())) {
                return null; // Nor is anything in it seen.
            }
            check(type.getSimpleName().toString(), type);
            return super.visitClass(type, nothing);
        }

        @Override
        public @Nullable Void visitMethod(MethodTree method, @Nullable Void nothing) {
            boolean inherits = method.getModifiers().getAnnotations().stream()
                    .anyMatch(a -> a.getAnnotationType().toString().equals("Override"));
            var type = (ClassTree) getCurrentPath().getParentPath().getLeaf();
            // What a record's constructor takes is said by the record's own comment.
            boolean ofRecord = type.getKind() == Tree.Kind.RECORD && method.getReturnType() == null;
            if (!inherits && !ofRecord && isPublic(method.getModifiers().getFlags())) {
                check(type.getSimpleName() + "." + method.getName(), method);
            }
            return null; // Bodies have local classes at most.
        }

        private boolean isPublic(Set<Modifier> flags) {
            var parent = getCurrentPath().getParentPath().getLeaf();
            boolean ofInterface = parent.getKind() == Tree.Kind.INTERFACE && !flags.contains(Modifier.PRIVATE);
            return ofInterface || flags.contains(Modifier.PUBLIC) || flags.contains(Modifier.PROTECTED);
        }

        private void check(String name, Tree tree) {
            if (comments.getDocComment(getCurrentPath()) == null) {
                String file = unit.getSourceFile().getName();
                long line = unit.getLineMap()
                        .getLineNumber(comments.getSourcePositions().getStartPosition(unit, tree));
                missing.add(name + " (" + file.substring(file.lastIndexOf('/') + 1) + ":" + line + ")");
            }
        }
    }
}

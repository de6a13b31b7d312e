// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** All that is shipped, as classes and as sources, and what of it users see. */
final class Production {
    /** Imported once for all tests: it takes seconds. */
    static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .withImportOption(location -> !location.contains("/testkit/")
                    && !location.contains("/test/")
                    && !location.contains("/jmh_generated/")
                    && !location.contains("-tests.jar"))
            .importPackages("dev.caisson");

    /** Libraries; examples and benchmarks export nothing. */
    static final List<String> MODULES = List.of("bindings-linux", "seccomp", "cgroups", "overlay", "core");

    private static final Pattern EXPORT = Pattern.compile("exports\\s+([\\w.]+)\\s*;");
    private static final Set<String> EXPORTED = exported();

    private Production() {}

    /** {@return the project's folder} */
    static Path top() {
        Path top = Path.of("").toAbsolutePath().getParent();
        if (!Files.exists(top.resolve("bindings-linux"))) {
            throw new IllegalStateException(top + " is not the project");
        }
        return top;
    }

    private static Set<String> exported() {
        var all = new TreeSet<String>();
        for (String module : MODULES) {
            try {
                var exports = EXPORT.matcher(Files.readString(sources(module).resolve("module-info.java")));
                while (exports.find()) {
                    all.add(exports.group(1));
                }
            } catch (IOException missing) {
                throw new UncheckedIOException(missing);
            }
        }
        return all;
    }

    private static Path sources(String module) {
        return top().resolve(module).resolve("src/main/java");
    }

    /** {@return the packages that all modules may use} */
    static Set<String> exportedPackages() {
        return EXPORTED;
    }

    /** {@return the source files of a module's exported packages} */
    static List<Path> exportedSources(String module) throws IOException {
        var all = new ArrayList<Path>();
        for (String name : EXPORTED) {
            Path directory = sources(module).resolve(name.replace('.', '/'));
            if (Files.isDirectory(directory)) {
                try (var files = Files.list(directory)) {
                    files.filter(f -> f.toString().endsWith(".java")).sorted().forEach(all::add);
                }
            }
        }
        return all;
    }

    /** {@return whether users can name a class} */
    static boolean isSeen(JavaClass c) {
        return EXPORTED.contains(c.getPackageName())
                && c.getModifiers().contains(JavaModifier.PUBLIC)
                && c.getEnclosingClass().map(Production::isSeen).orElse(true);
    }
}

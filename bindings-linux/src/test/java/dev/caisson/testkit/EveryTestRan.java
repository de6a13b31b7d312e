// SPDX-License-Identifier: Apache-2.0
package dev.caisson.testkit;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClasspathRoots;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.w3c.dom.Element;
import org.xml.sax.SAXException;

/**
 * The last word of a module's tests in the build: compares the tests that its classes have with those that the runner
 * reported in this build. A class that the runner's patterns miss is found so, and any other way in which a test is left out.
 * It also prints what was skipped, and why.
 *
 * <p>Arguments: the directory of the test classes, the runner's directory of reports, the instant at which the build began.
 */
final class EveryTestRan {
    private static final String PREFIX = "TEST-";
    private static final String SUFFIX = ".xml";

    /** Names of methods by class. */
    private final Map<String, Set<String>> reported = new HashMap<>();

    /** Tests by the reason for which they were skipped. */
    private final Map<String, Set<String>> skipped = new TreeMap<>();

    /** Classes that were skipped as a whole. */
    private final Set<String> skippedClasses = new HashSet<>();

    private EveryTestRan() {}

    public static void main(String[] arguments) throws Exception {
        var expected = expected(Path.of(arguments[0]));
        var check = new EveryTestRan();
        check.read(Path.of(arguments[1]), Instant.parse(arguments[2]));
        var missing = check.missing(expected);
        int tests = expected.values().stream().mapToInt(Set::size).sum();
        System.out.println("[INFO] " + (tests - missing.size()) + " of " + tests + " tests ran or were skipped");
        check.skipped.forEach((reason, names) -> System.out.println("[INFO] skipped: " + reason + ": " + names));
        if (!missing.isEmpty()) {
            missing.forEach(name -> System.out.println("[ERROR] did not run: " + name));
            System.exit(1);
        }
    }

    /** What JUnit's engines find when they are asked without any pattern of names. */
    private static Map<String, Set<String>> expected(Path classes) {
        var plan = LauncherFactory.create()
                .discover(LauncherDiscoveryRequestBuilder.request()
                        .selectors(selectClasspathRoots(Set.of(classes)))
                        .build());
        var expected = new TreeMap<String, Set<String>>();
        for (var root : plan.getRoots()) {
            for (var found : plan.getDescendants(root)) {
                if (found.getSource().orElse(null) instanceof MethodSource method) {
                    expected.computeIfAbsent(method.getClassName(), _ -> new TreeSet<>())
                            .add(method.getMethodName());
                }
            }
        }
        return expected;
    }

    private void read(Path directory, Instant begin) throws IOException, ParserConfigurationException, SAXException {
        if (!Files.isDirectory(directory)) {
            return;
        }
        try (var files = Files.list(directory)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                // What an earlier build left tells nothing of this one.
                if (name.startsWith(PREFIX)
                        && name.endsWith(SUFFIX)
                        && !Files.getLastModifiedTime(file).toInstant().isBefore(begin)) {
                    read(file, name.substring(PREFIX.length(), name.length() - SUFFIX.length()));
                }
            }
        }
    }

    private void read(Path file, String className) throws IOException, ParserConfigurationException, SAXException {
        var document = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file.toFile());
        var cases = document.getElementsByTagName("testcase");
        for (int i = 0; i < cases.getLength(); i++) {
            var test = (Element) cases.item(i);
            // As in method(Type)[1].
            String method = test.getAttribute("name").split("[(\\[{]", 2)[0];
            reported.computeIfAbsent(className, _ -> new HashSet<>()).add(method);
            skip(test).ifPresent(reason -> {
                if (method.isEmpty() || className.endsWith(method)) {
                    skippedClasses.add(className);
                }
                skipped.computeIfAbsent(reason, _ -> new TreeSet<>())
                        .add(className.substring(className.lastIndexOf('.') + 1) + "." + test.getAttribute("name"));
            });
        }
    }

    private static Optional<String> skip(Element test) {
        var skips = test.getElementsByTagName("skipped");
        return skips.getLength() == 0
                ? Optional.empty()
                : Optional.of(((Element) skips.item(0)).getAttribute("message"));
    }

    private List<String> missing(Map<String, Set<String>> expected) {
        var missing = new ArrayList<String>();
        expected.forEach((className, methods) -> {
            for (String method : methods) {
                if (!isReported(className, method)) {
                    missing.add(className + "." + method);
                }
            }
        });
        return missing;
    }

    /** A nested class may be reported by itself or with the class around it, and is skipped with that. */
    private boolean isReported(String className, String method) {
        for (String around = className; ; around = around.substring(0, around.lastIndexOf('$'))) {
            if (skippedClasses.contains(around)
                    || reported.getOrDefault(around, Set.of()).contains(method)) {
                return true;
            }
            if (around.indexOf('$') < 0) {
                return false;
            }
        }
    }
}

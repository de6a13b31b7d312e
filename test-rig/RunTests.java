// SPDX-License-Identifier: Apache-2.0

import static org.junit.platform.engine.TestExecutionResult.Status.SUCCESSFUL;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClasspathRoots;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestSource;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs the tests below one directory of classes and prints a line for each: arguments are that directory and the names
 * wanted, {@code SimpleClass} or {@code SimpleClass#method}; no names are all tests.
 *
 * <p>The last line, {@code RESULT passed failed skipped name...}, is read by the script; the names are those of tests that passed.
 */
final class RunTests implements TestExecutionListener {
    /** Tests of the code itself, which no kernel changes, and which take minutes when emulated. They run only by name. */
    private static final Set<String> NOT_ABOUT_A_KERNEL = Set.of("ArchitectureTest", "SimulatorTest");

    private final Set<String> wanted;
    private final Set<String> met = new HashSet<>();
    private final List<String> failures = new ArrayList<>();
    private TestPlan plan;
    private long begin;
    private int passed;
    private int skipped;

    private RunTests(Set<String> wanted) {
        this.wanted = wanted;
    }

    public static void main(String[] arguments) {
        var names = List.of(arguments).subList(1, arguments.length);
        var run = new RunTests(Set.copyOf(names));
        var request = LauncherDiscoveryRequestBuilder.request()
                .selectors(selectClasspathRoots(Set.of(Path.of(arguments[0]))))
                .filters((PostDiscoveryFilter) run::isWanted)
                // Emulated, everything takes longer; nothing may take for ever.
                .configurationParameter("junit.jupiter.execution.timeout.default", "300 s")
                .configurationParameter("jqwik.reporting.onlyfailures", "true")
                .configurationParameter("junit.jupiter.execution.timeout.thread.mode.default", "SAME_THREAD")
                .build();
        LauncherFactory.create().execute(request, run);
        System.out.println(); // Not all that tests print ends its line.
        run.failures.forEach(f -> System.out.println("FAILED " + f));
        System.out.println("RESULT " + run.passed + " " + run.failures.size() + " " + run.skipped + " "
                + String.join(" ", run.met.stream().sorted().toList()));
        // Threads of a test that failed do not keep the run from ending.
        System.out.flush();
        Runtime.getRuntime().halt(run.failures.isEmpty() ? 0 : 1);
    }

    private FilterResult isWanted(TestDescriptor test) {
        if (wanted.isEmpty()) {
            return FilterResult.includedIf(!NOT_ABOUT_A_KERNEL.contains(simple(test.getSource()).replaceFirst("#.*", "")));
        }
        return FilterResult.includedIf(name(test.getSource()).isPresent());
    }

    /** {@return the name wanted that stands for a test} */
    private Optional<String> name(Optional<TestSource> source) {
        String simple = simple(source);
        String type = simple.replaceFirst("#.*", "");
        return wanted.stream().filter(w -> w.equals(simple) || w.equals(type)).findFirst();
    }

    private static String simple(Optional<TestSource> source) {
        return switch (source.orElse(null)) {
            case MethodSource method -> simple(method.getClassName()) + "#" + method.getMethodName();
            case ClassSource type -> simple(type.getClassName());
            case null, default -> "";
        };
    }

    private static String simple(String name) {
        return name.substring(Math.max(name.lastIndexOf('.'), name.lastIndexOf('$')) + 1);
    }

    @Override
    public void testPlanExecutionStarted(TestPlan started) {
        plan = started;
    }

    @Override
    public void executionStarted(TestIdentifier test) {
        begin = System.nanoTime();
    }

    @Override
    public void executionSkipped(TestIdentifier test, String reason) {
        skipped++;
        System.out.println("skipped " + label(test) + ": " + reason);
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        if (result.getStatus() == SUCCESSFUL) {
            if (test.isTest()) {
                name(test.getSource()).ifPresent(met::add);
                passed++;
                System.out.println("passed " + label(test) + " (" + (System.nanoTime() - begin) / 1_000_000 + " ms)");
            }
            return;
        }
        String why = result.getThrowable().map(Throwable::toString).orElse("");
        if (result.getStatus() == TestExecutionResult.Status.ABORTED) {
            skipped++;
            System.out.println("skipped " + label(test) + ": " + why);
        } else {
            failures.add(label(test) + ": " + why);
            System.out.println("failed " + label(test));
            result.getThrowable().ifPresent(t -> t.printStackTrace(System.out));
        }
    }

    private String label(TestIdentifier test) {
        String name = test.getDisplayName();
        for (var at = plan.getParent(test); at.isPresent() && at.get().getParentId().isPresent(); at = plan.getParent(at.get())) {
            name = at.get().getDisplayName() + " > " + name;
        }
        return name;
    }
}

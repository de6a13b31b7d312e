// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.launch.LaunchPlan;
import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.Encoder;
import dev.caisson.linux.child.SimulatedKernel;
import dev.caisson.linux.child.SimulatedMemory;
import dev.caisson.linux.child.Simulator;
import dev.caisson.linux.child.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Launches that happen in Java only, on both architectures, whoever runs the tests. */
class SimulatedLaunchTest {
    /** Grants everything: descriptors are numbered, a fork is seen from the child, a gate is open. */
    private static final class GenerousKernel implements SimulatedKernel {
        private final List<Syscall> calls = new ArrayList<>();
        private final int refused;

        /** @param refused the position of the one call that fails with EPERM; -1 for none */
        GenerousKernel(int refused) {
            this.refused = refused;
        }

        @Override
        public long call(Syscall syscall, long[] args, SimulatedMemory memory) {
            calls.add(syscall);
            if (calls.size() - 1 == refused) {
                return -Errno.EPERM.code();
            }
            return switch (syscall) {
                case READ -> {
                    if (args[2] == Integer.BYTES) {
                        memory.at(args[1], Integer.BYTES).set(JAVA_INT_UNALIGNED, 0, 0);
                    }
                    yield args[2];
                }
                case WRITE, SENDTO, RECVFROM -> args[2];
                case GETCWD -> {
                    memory.at(args[0], Integer.BYTES).set(JAVA_INT_UNALIGNED, 0, '/');
                    yield 2;
                }
                case CLONE, EXECVE, EXECVEAT -> 0;
                case GETPID, GETPPID -> 99; // Nobody has ended before.
                default -> 100L + calls.size();
            };
        }
    }

    private static Simulator.End run(LaunchPlan plan, Arch arch, GenerousKernel kernel) {
        Map<Arg.Slot, Integer> parameters = Plans.slots(plan).collect(Collectors.toMap(slot -> slot, _ -> 50));
        return Simulator.run(Encoder.encode(plan.program(), arch), parameters, kernel);
    }

    @ParameterizedTest
    @EnumSource(names = {"X86_64", "AARCH64"})
    void everyPlanEndsInItsCommandWhereEverythingIsGranted(Arch arch) throws Exception {
        for (var entry : Plans.various().entrySet()) {
            var plan = entry.getValue();
            var end = run(plan, arch, new GenerousKernel(-1));
            int step = assertInstanceOf(Simulator.End.Executed.class, end, entry.getKey())
                    .step();
            assertInstanceOf(
                    Step.Execute.class, plan.program().steps().get(step).operation());
        }
    }

    /** A refusal is never swallowed by the way: it is reported with its own errno, or it was to be ignored. */
    @ParameterizedTest
    @EnumSource(names = {"X86_64", "AARCH64"})
    void whateverIsRefusedIsReportedAsThatStepOrWasToBeIgnored(Arch arch) throws Exception {
        for (var entry : Plans.various().entrySet()) {
            var plan = entry.getValue();
            var granted = new GenerousKernel(-1);
            var _ = run(plan, arch, granted);
            int reported = 0;
            for (int k = 0; k < granted.calls.size(); k++) {
                var kernel = new GenerousKernel(k);
                switch (run(plan, arch, kernel)) {
                    case Simulator.End.Failed(int index, Errno errno) -> {
                        assertEquals(Errno.EPERM, errno, entry.getKey());
                        String step = plan.program().steps().get(index).toString();
                        assertTrue(step.contains(granted.calls.get(k).kernelName()), step);
                        assertEquals(k, kernel.calls.size() - 1, "nothing is done after " + step);
                        reported++;
                    }
                    case Simulator.End.Executed _ -> {}
                    case Simulator.End.Exited exited -> throw new AssertionError(entry.getKey() + ": " + exited);
                }
            }
            assertTrue(2 * reported > granted.calls.size(), entry.getKey() + ": " + reported + " reported");
        }
    }
}

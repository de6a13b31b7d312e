// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Call;
import dev.caisson.linux.flag.MessageFlags;
import dev.caisson.linux.mount.ContextLog;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An immutable list of steps that a cloned child makes one after the other, ending in execve. It is data: it can be
 * printed, simulated, and encoded any number of times with other {@linkplain Arg.Slot parameters}.
 *
 * @param labels the index of the step at which each label stands; the index after the last step is allowed
 * @param gates the names of the gates in the order in which the child reaches them
 */
public record SyscallProgram(List<Step> steps, Map<Label, Integer> labels, List<String> gates) {
    /** The parameter that holds the child's end of the socket to the launcher, at which it knocks and on which it reports. */
    public static final Arg.Slot GATE = Arg.slot("gate");

    /** The same socket, for those that report with the kernel's help. */
    static final Arg.Slot REPORT = Arg.slot("report");

    /** The parameters of the zygote's socket and of the child's place there, which the launcher sets. */
    static final Arg.Slot ZYGOTE = Arg.slot("zygote");

    static final Arg.Slot PLACE = Arg.slot("place");

    /** The word of the table that holds the number of the descriptor on which the child reports, or a negative number. */
    static final Arg.Buffer REPORT_WORD = Arg.buffer("report descriptor", Integer.BYTES);

    public SyscallProgram {
        steps = List.copyOf(steps);
        labels = Map.copyOf(labels);
        gates = List.copyOf(gates);
    }

    public static Builder builder() {
        return new Builder();
    }

    /** {@return the index of the step at a label} */
    public int target(Label label) {
        Integer index = labels.get(label);
        if (index == null) {
            throw new IllegalStateException("label L" + label.id() + " was never bound");
        }
        return index;
    }

    /** {@return whether the child waits at the end for the rest of its program} */
    boolean awaits() {
        return !steps.isEmpty()
                && steps.getLast().operation() instanceof Step.Enter(Arg.Value(long address, var _))
                && address == AwaitSteps.REST_ADDRESS;
    }

    /**
     * {@return this program with one step replaced by a failure} For fault-injection tests: whatever was done before step
     * {@code index} must be undone by the caller of the launch.
     */
    public SyscallProgram failingAt(int index, Errno errno) {
        var changed = new ArrayList<>(steps);
        var old = steps.get(index);
        changed.set(
                index,
                new Step(
                        old.phase(),
                        old.purpose(),
                        old.task(),
                        old.needs(),
                        old.result(),
                        new Step.Fail(Arg.named(errno.code(), errno.name()))));
        return new SyscallProgram(changed, labels, gates);
    }

    /**
     * {@return this program as far as a step, which may fail again, and then what the file system it is about has to say} For
     * a step whose first argument is a context of fsopen(2): the lines of its log go to a descriptor, and the program fails.
     *
     * @param words the descriptor that is written to
     */
    public SyscallProgram sayingWhy(int index, Arg.Slot words) {
        if (!(steps.get(index).operation() instanceof Step.Invoke(Call call, var _))) {
            throw new IllegalArgumentException("step " + index + " is not a call: " + steps.get(index));
        }
        var builder = builder();
        builder.steps.addAll(steps.subList(0, index));
        builder.call(OnError.ignore(), call);
        labels.forEach((label, target) -> builder.labels.put(label, Math.min(target, index + 1)));
        var line = Arg.buffer("log line", ContextLog.LINE);
        for (int i = 0; i < ContextLog.LINES; i++) {
            var length = builder.result(
                    OnError.ignore(), "length", Syscall.READ, call.args().get(0), line, Arg.of(ContextLog.LINE));
            builder.call(OnError.ignore(), Syscall.WRITE, words, line, length);
        }
        builder.fail(Arg.named(Errno.ECANCELED.code(), "ECANCELED"));
        return new SyscallProgram(builder.steps, builder.labels, gates);
    }

    /** {@return one line a step, labels in the margin} */
    @Override
    public String toString() {
        var out = new StringBuilder();
        for (int i = 0; i <= steps.size(); i++) {
            int here = i;
            labels.entrySet().stream()
                    .filter(e -> e.getValue() == here)
                    .map(e -> e.getKey().id())
                    .sorted()
                    .forEach(id -> out.append('L').append(id).append(":\n"));
            if (i < steps.size()) {
                out.append("  ").append(steps.get(i)).append('\n');
            }
        }
        return out.toString();
    }

    /**
     * Collects steps in order. The phase, purpose and needs that were set last go into every step that follows. Not
     * thread-safe.
     */
    public static final class Builder {

        private final List<Step> steps = new ArrayList<>();
        private final Map<Label, Integer> labels = new HashMap<>();
        private final List<String> gates = new ArrayList<>();
        private final Map<Arg.Slot, Arg> moved = new HashMap<>();
        private String phase = "";
        private String purpose = "";
        private Optional<Step.Task> task = Optional.empty();
        private String needs = "";
        private int nextLabel;

        private Builder() {}

        /** Begins a part of the launch. */
        public Builder phase(String phase) {
            this.phase = phase;
            this.purpose = phase;
            this.task = Optional.empty();
            this.needs = "";
            return this;
        }

        /** Says what the following steps are for and what they need; {@code needs} may be empty. */
        public Builder purpose(String purpose, String needs) {
            this.purpose = purpose;
            this.task = Optional.empty();
            this.needs = needs;
            return this;
        }

        public Builder purpose(String purpose) {
            return purpose(purpose, "");
        }

        /** Says also for programs what the steps from here to the next purpose are for. */
        public Builder task(Step.Task task) {
            this.task = Optional.of(task);
            return this;
        }

        /** Adds a call that must succeed. */
        public Builder call(Syscall syscall, Arg... args) {
            return call(OnError.fail(), syscall, args);
        }

        public Builder call(OnError onError, Syscall syscall, Arg... args) {
            return call(onError, Call.of(syscall, args));
        }

        /** Adds a call that must succeed. */
        public Builder call(Call call) {
            return call(OnError.fail(), call);
        }

        public Builder call(OnError onError, Call call) {
            add("", new Step.Invoke(call, onError));
            return this;
        }

        /**
         * Adds a call that must succeed and whose result is used later.
         *
         * @return that result
         */
        public Arg.ResultOf result(String name, Syscall syscall, Arg... args) {
            return result(OnError.fail(), name, syscall, args);
        }

        /** Adds a call that must succeed and whose result is used later. */
        public Arg.ResultOf result(String name, Call call) {
            return add(name, new Step.Invoke(call, OnError.fail()));
        }

        public Arg.ResultOf result(OnError onError, String name, Syscall syscall, Arg... args) {
            return result(onError, name, Call.of(syscall, args));
        }

        /** Adds a call whose result is used later, {@code -errno} included. */
        public Arg.ResultOf result(OnError onError, String name, Call call) {
            return add(name, new Step.Invoke(call, onError));
        }

        /** Adds an execve, whose result says why it failed where that is ignored. */
        public Arg.ResultOf executeResult(OnError onError, String name, Syscall syscall, Arg... args) {
            return add(name, new Step.Execute(Call.of(syscall, args), onError));
        }

        public Builder execute(OnError onError, Syscall syscall, Arg... args) {
            add("", new Step.Execute(Call.of(syscall, args), onError));
            return this;
        }

        public Arg.ResultOf load(String name, Step.Width width, Arg address) {
            return add(name, new Step.Load(width, address));
        }

        public Builder store(Step.Width width, Arg address, Arg value) {
            add("", new Step.Store(width, address, value));
            return this;
        }

        public Arg.ResultOf sum(String name, Arg left, Arg right) {
            return add(name, new Step.Add(left, right));
        }

        public Builder fail(Arg errno) {
            add("", new Step.Fail(errno));
            return this;
        }

        /** Goes on in another table, which lies in the child's memory by then. */
        Builder enter(Arg address) {
            add("", new Step.Enter(address));
            return this;
        }

        public Builder branch(Step.Condition condition, Arg left, Arg right, Label target) {
            add("", new Step.Branch(condition, left, right, target));
            return this;
        }

        public Builder jump(Label target) {
            return branch(Step.Condition.ALWAYS, Arg.of(0), Arg.of(0), target);
        }

        public Label label() {
            return new Label(nextLabel++);
        }

        /** Puts a label before the next step. */
        public Builder bind(Label label) {
            if (labels.putIfAbsent(label, steps.size()) != null) {
                throw new IllegalStateException("label L" + label.id() + " is bound twice");
            }
            return this;
        }

        /**
         * Adds a gate: the child says that it has arrived, and waits until the launcher has done the work of that name (see
         * {@link Gate}) or refuses with an errno.
         */
        public Builder gate(String name) {
            return knock(Arg.ints("\"" + name + "\"", TableLayout.AT_A_GATE, arrive(name), 0, 0));
        }

        /**
         * Says that the descriptor of a parameter has got another number: steps added from here on use that one. After the
         * gate has moved, the launcher's end of it is taken for closed.
         */
        public Builder moved(Arg.Slot slot, Arg number) {
            moved.put(slot, number);
            return this;
        }

        /** {@return where the descriptor of a parameter is at this point of the program} */
        public Arg descriptor(Arg.Slot slot) {
            return moved.getOrDefault(slot, slot);
        }

        /** {@return the address of the word with the number of the descriptor the child reports on; negative: on none} */
        public Arg reportWord() {
            return REPORT_WORD;
        }

        /** {@return the position of a new gate} */
        private int arrive(String name) {
            gates.add(name);
            return gates.size() - 1;
        }

        /** Sends a message of {@link TableLayout#REPORT_SIZE} bytes to the launcher and waits until it agrees. */
        Builder knock(Arg message) {
            call(
                    Syscall.SENDTO,
                    descriptor(GATE),
                    message,
                    Arg.of(TableLayout.REPORT_SIZE),
                    MessageFlags.of(MessageFlags.MSG_NOSIGNAL),
                    Arg.nullPointer(),
                    Arg.of(0));
            return awaitAgreement();
        }

        /** Waits for the launcher's answer to a message. */
        Builder awaitAgreement() {
            var answer = Arg.buffer("gate answer", Integer.BYTES);
            var opened = label();
            var answered = label();
            var read = result("answered", Syscall.READ, descriptor(GATE), answer, Arg.of(Integer.BYTES));
            branch(Step.Condition.EQUAL, read, Arg.of(Integer.BYTES), answered);
            fail(Arg.named(Errno.ECANCELED.code(), "ECANCELED"));
            bind(answered);
            var refusal = load("refusal", Step.Width.INT, answer);
            branch(Step.Condition.EQUAL, refusal, Arg.of(0), opened);
            fail(refusal);
            return bind(opened);
        }

        /**
         * Adds a call that returns a descriptor, which the child gives to the launcher (see {@link Handover}).
         *
         * @param sending whether the child can still make the call sendmsg(2) afterwards, even if the call is one that
         *     installs a seccomp filter; if not, the launcher fetches the descriptor, which requires the right to trace the child
         */
        public Arg.ResultOf handOver(String name, boolean sending, Syscall syscall, Arg... args) {
            int gate = arrive(name);
            return sending
                    ? HandoverSteps.send(this, gate, name, syscall, args)
                    : HandoverSteps.offer(this, gate, name, syscall, args);
        }

        /**
         * Adds a gate at which the launcher is shown a descriptor and answers with bytes (see {@link Consultation}).
         *
         * @param answers where the bytes go, each to be filled
         */
        public Builder consult(String name, Arg descriptor, List<Arg.Buffer> answers) {
            ConsultationSteps.add(this, arrive(name), name, descriptor, answers);
            return this;
        }

        /** Adds a step that counts how often it is come by. */
        Arg.ResultOf count(String name) {
            return sum(name, new Arg.ResultOf(steps.size(), name), Arg.of(1));
        }

        /**
         * Has the child watched over from here on, so that it ends when the JVM does. In direct mode only: what the zygote
         * clones it watches over by itself.
         */
        public Builder register() {
            RegisterSteps.add(this);
            return this;
        }

        /** Gives all signals their default dispositions. In direct mode only: what the zygote clones has them. */
        public Builder defaultSignals() {
            ZygoteProgram.defaultSignals(this);
            return this;
        }

        /**
         * Adds a fork: all that follows is done by a new child of the launcher, the first one ends. It is the way into a
         * PID namespace that was joined or unshared, which concerns children only. In isolated mode only.
         */
        public Builder fork() {
            ForkSteps.add(this);
            return this;
        }

        /**
         * Ends the program with a wait for the rest of it, another program, which the launcher sends at some later time (see
         * {@link Waiting}). The child holds no descriptor meanwhile but its socket, and one that the rest uses. In isolated mode
         * only.
         *
         * @param left what becomes {@link Waiting#LEFT} of the rest
         */
        public Builder await(Optional<Arg> left) {
            AwaitSteps.add(this, left);
            return this;
        }

        private Arg.ResultOf add(String result, Step.Operation operation) {
            steps.add(new Step(phase, purpose, task, needs, result, operation));
            return new Arg.ResultOf(steps.size() - 1, result);
        }

        /**
         * {@return the program}
         *
         * @throws IllegalStateException if a label is used and bound nowhere
         */
        public SyscallProgram build() {
            var program = new SyscallProgram(steps, labels, gates);
            for (var step : steps) {
                if (step.operation() instanceof Step.Invoke(var _, OnError.Jump(var target, var _))) {
                    var _ = program.target(target);
                } else if (step.operation() instanceof Step.Execute(var _, OnError.Jump(var target, var _))) {
                    var _ = program.target(target);
                } else if (step.operation() instanceof Step.Branch branch) {
                    var _ = program.target(branch.target());
                }
            }
            return program;
        }
    }
}

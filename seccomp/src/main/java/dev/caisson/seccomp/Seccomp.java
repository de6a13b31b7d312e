// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import com.google.errorprone.annotations.CheckReturnValue;
import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.bpf.SeccompData;
import dev.caisson.seccomp.compile.Convention;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * Which system calls may be made: an immutable policy. Each method returns a new one.
 *
 * {@snippet :
 * Seccomp policy = Seccomp.otherwise(Action.fail(EPERM))
 *         .allow(READ, WRITE, CLOSE, EXIT_GROUP)
 *         .allow(SOCKET, arg(0).is(1));
 * }
 *
 * <p>The first rule that matches decides, in the order in which they were added; where none does, {@code otherwise}. A rule
 * that could never decide because an earlier one with another action takes all its calls is refused as a conflict.
 * Calls of other architectures than the policy's kill the process.
 *
 * <p>Policies are equal if they say the same of every call in the same rules and leave it to the same {@link Supervisor}s.
 */
@CheckReturnValue
public final class Seccomp {
    private static final Set<Arch> ALL = Collections.unmodifiableSet(EnumSet.allOf(Arch.class));

    private final Action otherwise;
    private final Set<Arch> architectures;
    private final NewerCalls newerCalls;
    private final Set<Filter.Flag> flags;
    private final List<Rule> rules;
    private final Optional<Supervisor> supervisor;
    private final Supervision supervision;

    private Seccomp(
            Action otherwise,
            Set<Arch> architectures,
            NewerCalls newerCalls,
            Set<Filter.Flag> flags,
            List<Rule> rules,
            Optional<Supervisor> supervisor,
            Supervision supervision) {
        this.otherwise = otherwise;
        this.architectures = architectures;
        this.newerCalls = newerCalls;
        this.flags = flags;
        this.rules = rules;
        this.supervisor = supervisor;
        this.supervision = supervision;
    }

    /** {@return a policy without rules} All four architectures; ENOSYS for calls that this version does not know. */
    public static Seccomp otherwise(Action action) {
        return of(action, Optional.empty());
    }

    /** {@return a policy without rules whose supervisor decides every call that none will be about} All architectures. */
    public static Seccomp otherwise(Supervisor supervisor) {
        return of(Action.supervise(), Optional.of(supervisor));
    }

    private static Seccomp of(Action action, Optional<Supervisor> supervisor) {
        return new Seccomp(
                action, ALL, NewerCalls.ENOSYS_PAST_KNOWN, Set.of(), List.of(), supervisor, Supervision.standard());
    }

    /** {@return Docker's default policy for a container with Docker's default capabilities, as {@link #standard(Set)}} */
    public static Seccomp standard() {
        return StandardPolicy.of(DockerCapabilities.NAMES);
    }

    /**
     * {@return Docker's default policy for a container with some capabilities} Calls that a capability is for are allowed
     * with it. Equal to the profile of github.com/moby/profiles, seccomp v0.2.3, but for sockets of AF_VSOCK and AF_ALG, which
     * it can be made to allow: families that Linux 6.18 does not know are refused, and so are numbers with bits above the 32
     * that the kernel reads; and {@code socketcall}, by which 32-bit programs make sockets of a family that no filter sees,
     * fails with ENOSYS, upon which musl uses {@code socket}. glibc for i386 as distributions build it knows no other way; a
     * container that trusts such a program with all families is given
     *
     * {@snippet :
     * Seccomp policy = Seccomp.standard().first(rules -> rules.allow(SOCKETCALL));
     * }
     *
     * @param capabilities names of capabilities(7), as {@code CAP_SYS_ADMIN}
     */
    public static Seccomp standard(Set<String> capabilities) {
        return StandardPolicy.of(capabilities);
    }

    /** {@return a policy for code that computes: memory, time, and descriptors that are open already; all else kills} */
    public static Seccomp pureComputation() {
        return Presets.pureComputation();
    }

    /** {@return the standard policy without sockets of any kind but local ones (AF_UNIX)} */
    public static Seccomp noNetwork() {
        return Presets.noNetwork();
    }

    /** {@return the standard policy, with what a JVM in the container wants beyond it} */
    public static Seccomp forJvm() {
        return Presets.forJvm();
    }

    /** Allows calls, whatever their arguments. */
    public Seccomp allow(Syscall... calls) {
        return on(Action.allow(), calls);
    }

    /** Allows a call where all conditions hold. */
    public Seccomp allow(Syscall call, Condition condition, Condition... more) {
        return on(Action.allow(), call, condition, more);
    }

    /** Lets calls fail, whatever their arguments; they are not made. */
    public Seccomp fail(Errno errno, Syscall... calls) {
        return on(Action.fail(errno), calls);
    }

    /** Does something about calls, whatever their arguments. */
    public Seccomp on(Action action, Syscall... calls) {
        return with(new Rule(Set.of(calls), List.of(), action, ALL, ""));
    }

    /** Does something about a call where all conditions hold. */
    public Seccomp on(Action action, Syscall call, Condition condition, Condition... more) {
        var conditions = new ArrayList<>(List.of(condition));
        Collections.addAll(conditions, more);
        return with(new Rule(Set.of(call), conditions, action, ALL, ""));
    }

    /** Lets a supervisor decide a call; for containers, since somebody outside must listen. Linux 5.0. */
    public Seccomp supervise(Syscall call, Supervisor supervisor) {
        return supervise(call, supervisor, new Condition[0]);
    }

    /** Lets a supervisor decide a call where all conditions hold. */
    public Seccomp supervise(Syscall call, Supervisor supervisor, Condition... conditions) {
        return with(new Rule(Set.of(call), List.of(conditions), Action.supervise(), ALL, "", Optional.of(supervisor)));
    }

    /**
     * Adds a rule.
     *
     * @throws IllegalArgumentException if an earlier rule with another action takes all its calls
     */
    public Seccomp with(Rule rule) {
        Conflicts.refuseUnreachable(rules, rule);
        var more = new ArrayList<>(rules);
        more.add(rule);
        return new Seccomp(otherwise, architectures, newerCalls, flags, List.copyOf(more), supervisor, supervision);
    }

    /**
     * Adds rules before those there are, so that they decide first.
     *
     * {@snippet :
     * Seccomp policy = Seccomp.standard().first(rules -> rules.supervise(MKNODAT, supervisor));
     * }
     *
     * @param rules gets a policy without rules, and adds some
     */
    public Seccomp first(UnaryOperator<Seccomp> rules) {
        var none = new Seccomp(otherwise, architectures, newerCalls, flags, List.of(), supervisor, supervision);
        return rules.apply(none).withAll(this.rules);
    }

    /** Adds rules that are known not to conflict. */
    Seccomp withAll(List<Rule> more) {
        var all = new ArrayList<>(rules);
        all.addAll(more);
        return new Seccomp(otherwise, architectures, newerCalls, flags, List.copyOf(all), supervisor, supervision);
    }

    /**
     * Adds rules that come without an order, as those of a profile.
     *
     * @throws IllegalArgumentException if one call may match two of them with different actions
     */
    public Seccomp withUnordered(List<Rule> more) {
        Conflicts.firstOverlap(more).ifPresent(conflict -> {
            throw new IllegalArgumentException(conflict);
        });
        return withAll(more);
    }

    /** The architectures whose calls are judged at all; calls of others kill the process. */
    public Seccomp architectures(Set<Arch> only) {
        if (only.isEmpty()) {
            throw new IllegalArgumentException("architectures: none; name at least one, such as " + Arch.host());
        }
        return new Seccomp(
                otherwise,
                Collections.unmodifiableSet(EnumSet.copyOf(only)),
                newerCalls,
                flags,
                rules,
                supervisor,
                supervision);
    }

    /**
     * The architectures whose calls are judged at all; calls of others kill the process.
     *
     * @throws IllegalArgumentException if none is named
     */
    public Seccomp architectures(Arch... only) {
        return architectures(Set.copyOf(Arrays.asList(only)));
    }

    /** What becomes of calls that are newer than the policy, which it can have no rule for. */
    public Seccomp newerCalls(NewerCalls treatment) {
        return new Seccomp(otherwise, architectures, treatment, flags, rules, supervisor, supervision);
    }

    /** How the filter is installed, in place of flags set before. */
    public Seccomp flags(Filter.Flag... installation) {
        var set = EnumSet.noneOf(Filter.Flag.class);
        Collections.addAll(set, installation);
        return new Seccomp(
                otherwise, architectures, newerCalls, Collections.unmodifiableSet(set), rules, supervisor, supervision);
    }

    /** How supervisors are run: one call at a time and without a timeout, unless told. */
    public Seccomp supervision(Supervision how) {
        return new Seccomp(otherwise, architectures, newerCalls, flags, rules, supervisor, how);
    }

    /**
     * {@return the same policy, for containers, which tells of each call that it does not let through} What it would have
     * the kernel refuse is left to a supervisor that refuses it just so, and tells which call it was and which rule decided;
     * Flight Recorder gets an event {@code dev.caisson.CallBlocked}. Allowed calls cost nothing more, refused ones some
     * microseconds. To kill a thread becomes to kill its process, and that by SIGKILL instead of SIGSYS. Not told of are
     * traps, since only the kernel can raise them, and calls of other architectures than the policy's.
     *
     * @param told called on the supervisor's thread, one call at a time for each container; the caller waits for it
     */
    public Seccomp reporting(Consumer<? super Blocked> told) {
        var reporter = new Reporter(this, told);
        boolean reports = Reporter.canDo(otherwise);
        return new Seccomp(
                reports ? Action.supervise() : otherwise,
                architectures,
                newerCalls,
                flags,
                reporter.rules(),
                reports ? Optional.of(reporter) : supervisor,
                supervision);
    }

    /** {@return what happens to a call that no rule is about} */
    public Action otherwise() {
        return otherwise;
    }

    /** {@return the architectures whose calls are judged at all} */
    public Set<Arch> architectures() {
        return architectures;
    }

    /** {@return what becomes of calls that are newer than the policy} */
    public NewerCalls newerCalls() {
        return newerCalls;
    }

    /** {@return how the filter is installed} */
    public Set<Filter.Flag> flags() {
        return flags;
    }

    /** {@return the rules in the order in which they are tried} */
    public List<Rule> rules() {
        return rules;
    }

    /** {@return how supervisors are run} */
    public Supervision supervision() {
        return supervision;
    }

    /** {@return whether a supervisor decides some call} */
    public boolean isSupervised() {
        return supervisor.isPresent()
                || rules.stream().anyMatch(r -> r.supervisor().isPresent());
    }

    /** {@return who decides a call that this policy leaves to a supervisor} */
    public Optional<Supervisor> supervisor(Filter.Verdict verdict) {
        if (!(verdict.action() instanceof Action.Notify)) {
            return Optional.empty();
        }
        return verdict.rule().isPresent() ? verdict.rule().get().supervisor() : supervisor;
    }

    /**
     * {@return the filter for this policy}
     *
     * @throws IllegalStateException if it has more than the kernel's 4,096 instructions
     */
    public Filter compile() {
        return Filter.of(this);
    }

    /** {@return what this policy says of a call} Its rules are read directly, nothing is compiled. */
    public Filter.Verdict evaluate(Arch arch, Syscall call, long... args) {
        var number = call.number(arch);
        if (number.isEmpty()) {
            throw new IllegalArgumentException("call: " + arch + " has no " + call);
        }
        return evaluate(SeccompData.of(arch.auditArch(), number.getAsInt(), args));
    }

    /**
     * {@return what this policy says of a call by its number, known or not}
     *
     * @param auditArch the AUDIT_ARCH token of its architecture, {@link Arch#auditArch}
     * @param number that of the architecture, for x32 with bit 30 set
     */
    public Filter.Verdict evaluate(int auditArch, int number, long... args) {
        return evaluate(SeccompData.of(auditArch, number, args));
    }

    /** {@return what this policy says of a call as a filter sees it} */
    Filter.Verdict evaluate(SeccompData data) {
        var arch = Convention.of(data.auditArch(), data.number());
        if (arch.isEmpty() || !architectures.contains(arch.get())) {
            return new Filter.Verdict(
                    Action.killProcess(),
                    Optional.empty(),
                    arch.map(a -> a + " is none of the policy's architectures").orElse("an unknown architecture"));
        }
        var call =
                data.number() == Convention.NO_CALL ? Optional.<Syscall>empty() : Syscall.of(arch.get(), data.number());
        if (call.isPresent()) {
            for (var rule : rules) {
                if (rule.calls().contains(call.get())
                        && rule.architectures().contains(arch.get())
                        && rule.matches(data)) {
                    return new Filter.Verdict(rule.action(), Optional.of(rule), rule.toString());
                }
            }
        }
        long index = Convention.index(arch.get(), data.number());
        if (index > Sources.lastOld(this, arch.get())) {
            return new Filter.Verdict(Action.fail(Errno.ENOSYS), Optional.empty(), "newer than the policy");
        }
        return new Filter.Verdict(
                otherwise, Optional.empty(), call.isEmpty() ? "no such call" : "no rule is about this call");
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Seccomp s
                && otherwise.equals(s.otherwise)
                && architectures.equals(s.architectures)
                && newerCalls == s.newerCalls
                && flags.equals(s.flags)
                && rules.equals(s.rules)
                && supervisor.equals(s.supervisor)
                && supervision.equals(s.supervision);
    }

    @Override
    public int hashCode() {
        return Objects.hash(otherwise, architectures, newerCalls, flags, rules, supervisor, supervision);
    }

    @Override
    public String toString() {
        return "Seccomp[" + rules.size() + " rules, otherwise " + otherwise.text() + "]";
    }

    /**
     * What becomes of system calls that are newer than a policy. A program that probes for a new call falls back to an older one
     * if it hears ENOSYS, but not if it hears EPERM; so a policy whose default refuses answers ENOSYS for them.
     */
    public enum NewerCalls {
        /** ENOSYS for numbers above the highest that a rule names, per architecture, as runc does; the rule of profiles. */
        ENOSYS_PAST_NAMED,
        /** ENOSYS for numbers above those this version of Caisson knows; the rule of policies written in Java. */
        ENOSYS_PAST_KNOWN,
        /** As all calls that no rule names. */
        AS_OTHERWISE
    }
}

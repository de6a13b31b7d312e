// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.learning;

import com.google.errorprone.annotations.CheckReturnValue;
import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.flag.CloneFlags;
import dev.caisson.linux.sys.ProcLines;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Arg;
import dev.caisson.seccomp.Notification;
import dev.caisson.seccomp.Reply;
import dev.caisson.seccomp.Seccomp;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Watches what programs do and comes to the policy that lets them do just that.
 *
 * {@snippet :
 * var recording = Recording.begin();
 * Container.builder().lower(root).seccomp(recording.policy()).run("make", "test");
 * Learned learned = recording.learned();
 * System.out.println(learned.toJava());
 * }
 *
 * <p>While it records, nothing is refused: each call is noted and let proceed. That protects nothing, so record only what you
 * would run unconfined. What a program does seldom, as after an error, is learned only if it happens: let it do all that it
 * should, in one run or in several. A signal that comes before a call is noted interrupts the call, so a program whose
 * handlers do not restart calls (SA_RESTART) may meet EINTR where it otherwise would not. Thread-safe.
 */
@CheckReturnValue
public final class Recording {
    /** How many values of an argument are few enough to be learned, unless told otherwise. */
    public static final int FEW = 16;

    /** The CLONE_NEW* flags of clone(2). */
    private static final long NEW_NAMESPACES = CloneFlags.NEW_NAMESPACES;

    /** What the kernel and the C library make for a program at times that no run need show. */
    private static final List<Syscall> ALWAYS =
            List.of(Syscall.EXIT, Syscall.EXIT_GROUP, Syscall.RESTART_SYSCALL, Syscall.RT_SIGRETURN, Syscall.EXECVE);

    /** Arguments that choose what a call does, none of them a pointer. */
    private static final Map<Syscall, Integer> CHOICES = Map.ofEntries(
            Map.entry(Syscall.SOCKET, 0),
            Map.entry(Syscall.SOCKETPAIR, 0),
            Map.entry(Syscall.SOCKETCALL, 0),
            Map.entry(Syscall.IPC, 0),
            Map.entry(Syscall.IOCTL, 1),
            Map.entry(Syscall.PRCTL, 0),
            Map.entry(Syscall.ARCH_PRCTL, 0),
            Map.entry(Syscall.PERSONALITY, 0),
            Map.entry(Syscall.SECCOMP, 0),
            Map.entry(Syscall.PTRACE, 0),
            Map.entry(Syscall.BPF, 0),
            Map.entry(Syscall.KEYCTL, 0),
            Map.entry(Syscall.UNSHARE, 0),
            Map.entry(Syscall.SETNS, 1));

    private record Key(Syscall call, Arch arch) {}

    private static final class Seen {
        private long count;
        private final Set<Long> values = new LinkedHashSet<>();
    }

    private final Map<Syscall, Integer> choices;
    private final int few;
    private final Map<Key, Seen> seen = new HashMap<>();
    private final Set<Integer> callers = new HashSet<>();
    private boolean forks;
    private final Set<Integer> unknown = new LinkedHashSet<>();

    private Recording(Map<Syscall, Integer> choices, int few) {
        this.choices = choices;
        this.few = few;
    }

    /**
     * {@return a recording of nothing yet} It learns the values of the arguments that choose what a call does: address
     * families of sockets, operations of ioctl, prctl, bpf and the like; of clone(2), whether it makes namespaces.
     */
    public static Recording begin() {
        return new Recording(CHOICES, FEW);
    }

    /** {@return a new recording that learns the values of another argument too, 0 to 5; never of a pointer} */
    public Recording learning(Syscall call, int argument) {
        var more = new HashMap<>(choices);
        more.put(call, Arg.arg(argument).index());
        return new Recording(Map.copyOf(more), few);
    }

    /**
     * {@return a new recording that learns the values of an argument only if they are few}
     *
     * @param most 0 to learn calls only
     */
    public Recording mostValues(int most) {
        if (most < 0) {
            throw new IllegalArgumentException("most values: " + most + " is negative; 0 is for calls alone");
        }
        return new Recording(choices, most);
    }

    /**
     * {@return the policy under which calls are recorded} It needs a supervisor, as containers have it, and Linux 5.5. Used
     * for several runs, also at once, it records what all of them do.
     */
    public Seccomp policy() {
        // Programs live with many interrupted calls, but not with forks that are: those are seen by what children do.
        return Seccomp.otherwise(this::record)
                .allow(Syscall.FORK, Syscall.VFORK)
                .allow(Syscall.CLONE, Arg.arg(0).hasNone(NEW_NAMESPACES));
    }

    private synchronized Reply record(Notification call) {
        if (!forks && callers.add(call.pid())) {
            forks = isChild(call.pid());
        }
        var arch = call.arch();
        var syscall = call.syscall();
        if (arch.isEmpty() || syscall.isEmpty()) {
            unknown.add(call.number());
            return Reply.proceed();
        }
        var calls = seen.computeIfAbsent(new Key(syscall.get(), arch.get()), _ -> new Seen());
        calls.count++;
        if (choices.containsKey(syscall.get()) && calls.values.size() <= few) {
            calls.values.add(call.arg(choices.get(syscall.get())));
        }
        return Reply.proceed();
    }

    /** {@return whether a caller is a thread, or a child, of one that was seen; else it begins another run} */
    private boolean isChild(int caller) {
        try {
            return ProcLines.of(Path.of("/proc/" + caller + "/status")).stream()
                    .filter(line -> line.startsWith("Tgid:") || line.startsWith("PPid:"))
                    .map(line ->
                            Integer.valueOf(line.substring("Tgid:".length()).strip()))
                    .anyMatch(process -> process != caller && callers.contains(process));
        } catch (IOException gone) {
            return callers.size() > 1; // It has been killed. Rather one call too many than one that is missing.
        }
    }

    /** {@return what was learned so far; a call that was not seen would fail with EPERM, a newer one with ENOSYS} */
    public Learned learned() {
        return learned(Action.fail(Errno.EPERM));
    }

    /** {@return what was learned so far, and what is to become of calls that were not seen} */
    public synchronized Learned learned(Action otherwise) {
        var arches = EnumSet.of(Arch.host());
        var counts = new TreeMap<Syscall, Long>();
        var values = new TreeMap<Syscall, Set<Long>>();
        seen.forEach((key, calls) -> {
            arches.add(key.arch);
            counts.merge(key.call, calls.count, Long::sum);
            values.computeIfAbsent(key.call, _ -> new LinkedHashSet<>()).addAll(calls.values);
        });
        var plain = EnumSet.copyOf(ALWAYS);
        if (forks) {
            plain.addAll(List.of(Syscall.FORK, Syscall.VFORK));
        }
        var policy = Seccomp.otherwise(otherwise).architectures(arches);
        var conditional = new ArrayList<Syscall>();
        for (var call : counts.keySet()) {
            (isLearned(call, values.getOrDefault(call, Set.of())) ? conditional : plain).add(call);
        }
        policy = policy.allow(plain.toArray(Syscall[]::new));
        if (forks && !plain.contains(Syscall.CLONE)) {
            policy = policy.allow(Syscall.CLONE, Arg.arg(0).hasNone(NEW_NAMESPACES));
        }
        for (var call : conditional) {
            policy = withValues(policy, call, values.getOrDefault(call, Set.of()));
        }
        return new Learned(policy, counts, unknown);
    }

    private boolean isLearned(Syscall call, Set<Long> values) {
        return choices.containsKey(call) && !values.isEmpty() && values.size() <= few;
    }

    private Seccomp withValues(Seccomp policy, Syscall call, Set<Long> values) {
        var arg = Arg.arg(choices.getOrDefault(call, 0));
        var with = policy;
        for (long value : values.stream()
                .sorted(Comparator.comparing((Long v) -> v, Long::compareUnsigned))
                .toList()) {
            with = with.allow(call, arg.is(value));
        }
        return with;
    }
}

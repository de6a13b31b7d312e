// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.profile;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Condition;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.Rule;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.seccomp.Seccomp.NewerCalls;
import dev.caisson.seccomp.profile.SeccompProfile.ProfileRule;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** A profile made into a policy, as Docker makes it into what runc gets, and back. */
final class Resolver {
    private static final Map<String, Arch> ARCHES = Map.of(
            "SCMP_ARCH_X86_64", Arch.X86_64,
            "SCMP_ARCH_X86", Arch.X86,
            "SCMP_ARCH_X32", Arch.X32,
            "SCMP_ARCH_AARCH64", Arch.AARCH64);

    private final SeccompProfile profile;
    private final SeccompProfile.Target target;
    private final List<String> notes = new ArrayList<>();

    Resolver(SeccompProfile profile, SeccompProfile.Target target) {
        this.profile = profile;
        this.target = target;
    }

    SeccompProfile.Resolved resolve() throws ProfileException {
        var arches = architectures();
        var otherwise = ActionName.parse(profile.defaultAction(), profile.defaultErrnoRet())
                .orElseThrow(() -> new ProfileException("defaultAction: " + profile.defaultAction()));
        var rules = new ArrayList<Rule>();
        for (int i = 0; i < profile.syscalls().size(); i++) {
            add(rules, profile.syscalls().get(i), i, otherwise, arches);
        }
        Seccomp policy;
        try {
            policy = Seccomp.otherwise(otherwise)
                    .newerCalls(NewerCalls.ENOSYS_PAST_NAMED)
                    .architectures(arches)
                    .flags(profile.flags().toArray(Filter.Flag[]::new))
                    .withUnordered(rules);
        } catch (IllegalArgumentException conflict) {
            throw new ProfileException(String.valueOf(conflict.getMessage()));
        }
        return new SeccompProfile.Resolved(policy, notes);
    }

    private Set<Arch> architectures() throws ProfileException {
        if (!target.architectures().isEmpty()) {
            return target.architectures();
        }
        var arches = EnumSet.noneOf(Arch.class);
        var host = Arch.host();
        if (profile.archMap().isEmpty()) {
            profile.architectures().forEach(name -> architecture(arches, name));
        } else {
            profile.archMap().forEach((name, subs) -> {
                if (ARCHES.get(name) == host) {
                    arches.add(host);
                    subs.forEach(sub -> architecture(arches, sub));
                }
            });
        }
        arches.add(host); // As libseccomp: a filter always knows the architecture it runs on.
        return arches;
    }

    private void architecture(Set<Arch> arches, String name) {
        var arch = ARCHES.get(name);
        if (arch != null) {
            arches.add(arch);
        } else {
            notes.add("architecture " + name + ": its calls are killed, Caisson has no numbers for it");
        }
    }

    private void add(List<Rule> rules, ProfileRule rule, int index, Action otherwise, Set<Arch> arches)
            throws ProfileException {
        var action = ActionName.parse(rule.action(), rule.errnoRet())
                .orElseThrow(() -> new ProfileException(rule.line(), "syscalls", rule.action()));
        var where = arches.stream().filter(arch -> applies(rule, arch)).collect(Collectors.toSet());
        // As runc: what says the same as the default is not a rule, so that it does not get in the way of those that
        // are.
        if (where.isEmpty() || action.equals(otherwise)) {
            return;
        }
        var calls = EnumSet.noneOf(Syscall.class);
        for (String name : rule.names()) {
            Syscall.of(name).ifPresent(calls::add);
        }
        if (calls.isEmpty()) {
            return;
        }
        String origin = "syscalls[" + index + "]" + (rule.line() > 0 ? ", line " + rule.line() : "");
        boolean alternatives =
                rule.arguments().stream().map(Condition::argument).distinct().count()
                        < rule.arguments().size();
        if (alternatives) {
            for (var argument : rule.arguments()) {
                rules.add(new Rule(calls, List.of(argument), action, where, origin));
            }
        } else {
            rules.add(new Rule(calls, rule.arguments(), action, where, origin));
        }
    }

    /** Docker asks for the architecture it runs on, whatever others the filter knows too. */
    private boolean applies(ProfileRule rule, Arch arch) {
        String name = arch == Arch.AARCH64 ? "arm64" : "amd64";
        var includes = rule.includes();
        var excludes = rule.excludes();
        return (includes.arches().isEmpty() || includes.arches().contains(name))
                && !excludes.arches().contains(name)
                && target.capabilities().containsAll(includes.capabilities())
                && excludes.capabilities().stream().noneMatch(target.capabilities()::contains)
                && includes.minKernel()
                        .filter(v -> target.kernel().compareTo(v) < 0)
                        .isEmpty()
                && excludes.minKernel()
                        .filter(v -> target.kernel().compareTo(v) >= 0)
                        .isEmpty();
    }

    static SeccompProfile profile(Seccomp policy) {
        var rules = new ArrayList<ProfileRule>();
        for (var rule : policy.rules()) {
            if (rule.calls().isEmpty()) {
                continue;
            }
            if (rule.conditions().stream().map(Condition::argument).distinct().count()
                    < rule.conditions().size()) {
                throw new IllegalArgumentException("\"" + rule
                        + "\" cannot be said in JSON: there, several comparisons of one argument are alternatives");
            }
            rules.add(new ProfileRule(
                    0,
                    names(rule.calls()),
                    ActionName.of(rule.action()),
                    ActionName.errnoRet(rule.action()),
                    rule.conditions(),
                    Optional.of(rule.origin()).filter(o -> !o.isEmpty()),
                    where(rule, policy),
                    ProfileRule.Selection.ANY));
        }
        return new SeccompProfile(
                ActionName.of(policy.otherwise()),
                ActionName.errnoRet(policy.otherwise()),
                policy.architectures().stream().map(a -> "SCMP_ARCH_" + a).toList(),
                Map.of(),
                policy.flags(),
                Optional.empty(),
                Optional.empty(),
                rules,
                List.of());
    }

    private static ProfileRule.Selection where(Rule rule, Seccomp policy) {
        if (rule.architectures().containsAll(policy.architectures())) {
            return ProfileRule.Selection.ANY;
        }
        var names = rule.architectures().stream()
                .map(arch -> arch == Arch.AARCH64 ? "arm64" : "amd64")
                .distinct()
                .toList();
        return new ProfileRule.Selection(List.of(), names, Optional.empty());
    }

    private static List<String> names(Collection<Syscall> calls) {
        return calls.stream().map(Syscall::kernelName).sorted().toList();
    }
}

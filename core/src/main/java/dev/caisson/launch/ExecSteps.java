// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static dev.caisson.linux.call.Arg.named;
import static dev.caisson.linux.call.Arg.nullPointer;
import static dev.caisson.linux.call.Arg.of;
import static dev.caisson.linux.call.Arg.text;

import dev.caisson.cgroups.spec.Limit;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.child.OnError;
import dev.caisson.linux.child.Step;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Rlimit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** The process itself: session, limits, directory, and at last the execve. */
final class ExecSteps {
    private static final long UNLIMITED = -1;
    private static final int SIG_SETMASK = 2;

    /** As many as Linux can have (NR_CPUS), one bit each. */
    private static final int MOST_PROCESSORS = 8192;

    private static final int SIGNAL_SET = 8;
    private static final int PATH_MAX = 4096;

    private final PlanInput input;
    private final SyscallProgram.Builder program;
    private final boolean isolated;

    /** @param isolated whether the child has the standard streams only if it gets them */
    ExecSteps(PlanInput input, SyscallProgram.Builder program, boolean isolated) {
        this.input = input;
        this.program = program;
        this.isolated = isolated;
    }

    /** First of all, while /proc and the caller's privileges are still the host's. */
    void planBeginning() {
        program.phase("process");
        if (!isolated) {
            program.register();
            program.defaultSignals();
        } else {
            OwnDescriptors.plan(input.spec(), program);
            if (becomesDumpable()) {
                dumpable(program, "own its files in /proc", 1);
            }
        }
        for (var file : input.cgroupFiles()) {
            program.purpose("enter the cgroup before anything of the command runs");
            program.call(Syscall.WRITE, file, text("0"), of(1));
        }
        if (hasCpuset()) {
            // Not what the JVM may be pinned to: the kernel leaves of these what the cpuset allows.
            program.purpose("run on all processors of the cpuset");
            var all = new long[MOST_PROCESSORS / Long.SIZE];
            Arrays.fill(all, -1L);
            program.call(Syscall.SCHED_SETAFFINITY, of(0), of((long) all.length * Long.BYTES), Arg.words("~[]", all));
        }
        if (!input.spec().bare()) {
            // Where a user may have no more keys it stays the zygote's, which is empty and not the host's either.
            program.purpose("have a session keyring of its own");
            program.call(
                    OnError.ignore(Errno.ENOSYS, Errno.EDQUOT, Errno.EPERM),
                    Syscall.KEYCTL,
                    named(1, "KEYCTL_JOIN_SESSION_KEYRING"),
                    nullPointer(),
                    of(0),
                    of(0));
        }
        if (!input.joins(Namespace.PID) || input.hasReaper()) {
            // Else the second child does: with each session the kernel makes a group for the scheduler, too.
            program.purpose("lead a session of its own, without the caller's terminal");
            program.call(Syscall.SETSID);
        }
        var process = input.spec().process();
        if (process.oomScoreAdj().isPresent()) {
            program.purpose("set oom_score_adj", "CAP_SYS_RESOURCE to lower it");
            String score = Integer.toString(process.oomScoreAdj().getAsInt());
            NamespaceSteps.writeFile(program, "/proc/self/oom_score_adj", score);
        }
        if (process.nice().isPresent()) {
            program.purpose("set the nice value", "CAP_SYS_NICE to lower it");
            program.call(
                    Syscall.SETPRIORITY,
                    named(0, "PRIO_PROCESS"),
                    of(0),
                    of(process.nice().getAsInt()));
        }
    }

    private boolean hasCpuset() {
        var limits = input.spec().limits().set();
        if (limits.isPresent()) {
            for (var limit : limits.get().all()) {
                if (limit instanceof Limit.Cpuset) {
                    return true;
                }
            }
        }
        return false;
    }

    /**
     * Until the id maps are written, an ordinary user's child must be dumpable: else its /proc/PID belongs to root. Nobody
     * untrusted can see it then.
     */
    void planUndumpable() {
        if (becomesDumpable()) {
            dumpable(program, "be nobody's to trace or read", 0);
        }
    }

    private boolean becomesDumpable() {
        boolean joinsOnly = !input.spec().namespaces().joins().isEmpty()
                && input.fresh().isEmpty()
                && input.spec().process().oomScoreAdj().isEmpty();
        return input.isFresh(Namespace.USER) || !input.host().isPrivileged() && !joinsOnly;
    }

    /** Each change of credentials puts it back to what fs.suid_dumpable says, which where cores are sought is 1. */
    void planUndumpableAgain() {
        dumpable(program, "be nobody's to trace or read in the container", 0);
    }

    /**
     * The zygote kills what outlives the JVM; this is for the case that both are killed. After all changes of credentials,
     * which undo it, and before the filters, which may refuse it.
     */
    void planDeathOfParent() {
        program.purpose("end with the JVM");
        program.call(Syscall.PRCTL, named(1, "PR_SET_PDEATHSIG"), named(9, "SIGKILL"), of(0), of(0), of(0));
    }

    static void dumpable(SyscallProgram.Builder program, String purpose, int how) {
        program.purpose(purpose);
        program.call(Syscall.PRCTL, named(4, "PR_SET_DUMPABLE"), of(how), of(0), of(0), of(0));
    }

    void planLimits() {
        var spec = input.spec();
        program.phase("limits of the process");
        boolean limitsOpenFiles = false;
        for (var limit : spec.process().rlimits()) {
            limitsOpenFiles |= limit.resource() == Rlimit.Resource.NOFILE;
            program.purpose("limit " + limit.resource(), "CAP_SYS_RESOURCE to raise a hard limit");
            program.call(
                    Syscall.PRLIMIT64,
                    of(0),
                    named(limit.resource().ordinal(), "RLIMIT_" + limit.resource()),
                    Arg.words(
                            "{rlim_cur=" + limitText(limit.soft()) + ", rlim_max=" + limitText(limit.hard()) + "}",
                            limit.soft().orElse(UNLIMITED),
                            limit.hard().orElse(UNLIMITED)),
                    nullPointer());
        }
        if (!limitsOpenFiles && input.host().openFiles().isPresent()) {
            planOpenFiles(input.host().openFiles().getAsLong());
        }
        program.purpose("set the umask");
        program.call(Syscall.UMASK, Arg.octal(spec.process().umask()));
    }

    /** Neither the JVM's own soft limit, which it has raised, nor the zygote's. */
    private void planOpenFiles(long soft) {
        program.purpose("have the soft limit of open files that the JVM was started with");
        var limit = Arg.buffer("rlimit", 2 * Long.BYTES);
        var nofile = named(Rlimit.Resource.NOFILE.ordinal(), "RLIMIT_NOFILE");
        program.call(Syscall.PRLIMIT64, of(0), nofile, nullPointer(), limit);
        program.store(Step.Width.LONG, limit, of(soft));
        program.call(Syscall.PRLIMIT64, of(0), nofile, limit, nullPointer());
    }

    private static String limitText(OptionalLong limit) {
        return limit.isPresent() ? Long.toString(limit.getAsLong()) : "RLIM_INFINITY";
    }

    void planDirectory() {
        if (input.spec().process().workingDirectory().isEmpty()) {
            return;
        }
        String directory = input.spec().process().workingDirectory().get();
        program.purpose("work in " + directory);
        var mounts = new MountCalls(program);
        var root = program.result(
                "root",
                Syscall.OPENAT,
                MountCalls.AT_FDCWD,
                text("/"),
                OpenFlags.of(OpenFlags.O_PATH | OpenFlags.O_CLOEXEC));
        // A chdir(2) would follow an image's link to /proc/self/fd/N wherever that leads (CVE-2024-21626).
        var place = mounts.resolveDirectory(OnError.fail(), root, directory);
        program.call(Syscall.FCHDIR, place);
        program.call(Syscall.CLOSE, place);
        program.call(Syscall.CLOSE, root);
        verifyInside();
    }

    /** The kernel writes "(unreachable)" before the path of a directory that is not below the root. */
    private void verifyInside() {
        var inside = program.label();
        var path = Arg.buffer("working directory", PATH_MAX);
        program.call(Syscall.GETCWD, path, of(PATH_MAX));
        var begin = program.load("begin", Step.Width.INT, path);
        // Of '/' and '(' one is odd.
        program.branch(Step.Condition.ANY_BIT, begin, of(1), inside);
        program.fail(named(Errno.EXDEV.code(), "EXDEV"));
        program.bind(inside);
    }

    void planSignals() {
        program.purpose("start with no signal blocked");
        program.call(
                Syscall.RT_SIGPROCMASK,
                named(SIG_SETMASK, "SIG_SETMASK"),
                Arg.words("[]", 0),
                nullPointer(),
                of(SIGNAL_SET));
    }

    void planExec(Map<String, String> environment) {
        program.phase("exec");
        planSignals();
        String name = input.command().get(0);
        var argv = new ArrayList<>(input.command());
        argv.set(0, input.spec().process().argv0().orElse(name));
        var argvArg = Arg.argv(argv);
        var variables = new ArrayList<String>();
        for (var variable : environment.entrySet()) {
            variables.add(variable.getKey() + "=" + variable.getValue());
        }
        var envpArg = Arg.envp(variables, Environment.asksForHome(input) ? List.of(AccountSteps.HOME) : List.of());
        program.purpose("run " + name).task(LaunchTask.RUN_PROGRAM);
        if (name.contains("/")) {
            program.execute(OnError.fail(), Syscall.EXECVE, Arg.text(name), argvArg, envpArg);
            return;
        }
        searchPath(name, argvArg, envpArg, environment.getOrDefault("PATH", Environment.DEFAULT_PATH));
    }

    /** As execvp(3): what is there but may not be executed is remembered while the search goes on. */
    private void searchPath(String name, Arg argv, Arg envp, String path) {
        var forbidden = program.label();
        var attempts = new ArrayList<Arg>();
        for (String directory : path.split(":")) {
            String file = directory.isEmpty() ? name : directory + "/" + name;
            attempts.add(program.executeResult(
                    OnError.ignore(Errno.ENOENT, Errno.ENOTDIR, Errno.EACCES),
                    "tried",
                    Syscall.EXECVE,
                    Arg.text(file),
                    argv,
                    envp));
        }
        program.purpose("find " + name + " in PATH=" + path).task(LaunchTask.FIND_PROGRAM);
        for (var attempt : attempts) {
            program.branch(Step.Condition.EQUAL, attempt, of(-Errno.EACCES.code()), forbidden);
        }
        program.fail(named(Errno.ENOENT.code(), "ENOENT"));
        program.bind(forbidden);
        program.fail(named(Errno.EACCES.code(), "EACCES"));
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.notify;

import static dev.caisson.linux.flag.OpenFlags.O_NOCTTY;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Signal;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.flag.ResolveFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Processes;
import dev.caisson.seccomp.Notification;
import dev.caisson.seccomp.Notification.Descriptor;
import dev.caisson.seccomp.Reply;
import dev.caisson.seccomp.Rule;
import dev.caisson.seccomp.bpf.SeccompData;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A received call until it is answered. Descriptors made for it are closed then. */
final class PendingCall implements Notification {

    private final Listener listener;
    private final long id;
    private final int pid;
    private final SeccompData data;
    private final Optional<Rule> rule;
    private final List<Fd> made = new ArrayList<>(0);
    private boolean answered;
    private volatile boolean abandoned;

    PendingCall(Listener listener, long id, int pid, SeccompData data, Optional<Rule> rule) {
        this.listener = listener;
        this.id = id;
        this.pid = pid;
        this.data = data;
        this.rule = rule;
    }

    long id() {
        return id;
    }

    @Override
    public int pid() {
        return pid;
    }

    @Override
    public int number() {
        return data.number();
    }

    @Override
    public long arg(int index) {
        return data.argument(index);
    }

    @Override
    public Optional<Arch> arch() {
        return Arch.of(data.auditArch(), data.number());
    }

    @Override
    public Optional<Syscall> syscall() {
        return arch().flatMap(arch -> Syscall.of(arch, data.number()));
    }

    @Override
    public Optional<Rule> rule() {
        return rule;
    }

    @Override
    public boolean isPending() {
        return listener.isPending(id);
    }

    private RemoteMemory memory() {
        return new RemoteMemory(pid, this::isPending);
    }

    @Override
    public byte[] read(long address, int length) throws IOException {
        return memory().read(address, length);
    }

    @Override
    public String readString(long address, int most) throws IOException {
        return memory().readString(address, most);
    }

    @Override
    public void write(long address, byte[] bytes) throws IOException {
        memory().write(address, bytes);
    }

    @Override
    public Descriptor descriptor(int number) throws IOException {
        try (var pidfd = Processes.openThread(pid)) {
            checkPending();
            return keep(Processes.duplicate(pidfd, number));
        } catch (LinuxException refused) {
            throw goneOr(refused);
        }
    }

    @Override
    public Descriptor openAt(int directory, String path, int flags, int mode) throws IOException {
        if (path.isEmpty()) {
            throw new LinuxException(Errno.ENOENT, "openat2(root of " + pid + ", \"\")");
        }
        try (var root = Files.open("/proc/" + pid + "/root", OpenFlags.O_PATH | OpenFlags.O_DIRECTORY, 0)) {
            String absolute = absolute(directory, path);
            checkPending();
            // openat2(2) is strict: no mode but for a new file, nothing beside O_PATH.
            return keep(At.open(
                    root,
                    FileNames.encode(absolute),
                    (flags & OpenFlags.O_PATH) == 0 ? flags | O_NOCTTY : flags,
                    (flags & OpenFlags.O_CREAT) == 0 ? 0 : mode,
                    ResolveFlags.RESOLVE_IN_ROOT | ResolveFlags.RESOLVE_NO_MAGICLINKS));
        } catch (LinuxException refused) {
            throw goneOr(refused);
        }
    }

    /** As text: the directory may have moved before it is used, and what is found is inside the root in every case. */
    private String absolute(int directory, String path) throws LinuxException {
        if (path.startsWith("/")) {
            return path;
        }
        String link = "/proc/" + pid + "/" + (directory == AT_FDCWD ? "cwd" : "fd/" + directory);
        try (var opened = Files.open(link, OpenFlags.O_PATH | OpenFlags.O_NOFOLLOW, 0)) {
            return FileNames.decode(At.readLink(opened)) + "/" + path;
        } catch (LinuxException refused) {
            // There is a working directory always, and a link for each descriptor that there is.
            throw refused.errno().equals(Errno.ENOENT) ? new LinuxException(Errno.EBADF, refused.call()) : refused;
        }
    }

    @Override
    public Descriptor openOnHost(Path path, int flags) throws IOException {
        return keep(Files.open(HostPath.of(path), flags | O_NOCTTY, 0));
    }

    @Override
    public void makeFile(String path, int mode) throws IOException {
        inNamespaces(actor -> actor.makeFile(absolute(AT_FDCWD, path), mode));
    }

    @Override
    public void mount(String source, String target, String type, long flags, String options) throws IOException {
        inNamespaces(actor -> actor.mount(source, absolute(AT_FDCWD, target), type, flags, options));
    }

    /** Something done in the caller's namespaces. */
    private interface Act {
        void by(Actor actor) throws IOException;
    }

    private void inNamespaces(Act act) throws IOException {
        try (var user = namespace("user");
                var mounts = namespace("mnt")) {
            checkPending();
            act.by(new Actor(listener.launcher(), user, mounts));
        } catch (LinuxException refused) {
            throw goneOr(refused);
        }
    }

    private Fd namespace(String file) throws LinuxException {
        return Files.open("/proc/" + pid + "/ns/" + file, OpenFlags.O_RDONLY, 0);
    }

    @Override
    public int inject(Reply.Inject what) throws IOException {
        long number = listener.add(id, what, false);
        if (number < 0) {
            throw new Notification.CallerGoneException();
        }
        return (int) number;
    }

    @Override
    public void kill() throws IOException {
        try (var pidfd = Processes.openThread(pid)) {
            checkPending();
            listener.killed(Processes.process(pid));
            var _ = Processes.signal(pidfd, Signal.SIGKILL);
        } catch (LinuxException refused) {
            throw goneOr(refused);
        }
    }

    private void checkPending() throws Notification.CallerGoneException {
        if (!isPending()) {
            throw new Notification.CallerGoneException();
        }
    }

    private IOException goneOr(LinuxException refused) {
        return isPending() ? refused : new Notification.CallerGoneException();
    }

    private Descriptor keep(Fd fd) throws Notification.CallerGoneException {
        synchronized (made) {
            if (!answered) {
                made.add(fd);
                return new OpenDescriptor(fd);
            }
        }
        fd.close();
        throw new Notification.CallerGoneException();
    }

    /** Its supervisor took too long, and is not listened to any more. */
    void abandon() {
        abandoned = true;
    }

    boolean isAbandoned() {
        return abandoned;
    }

    /** Closes what was made for this call. */
    void answered() {
        synchronized (made) {
            answered = true;
            made.forEach(Fd::close);
        }
    }

    @Override
    public String toString() {
        return "Notification[" + syscall().map(Syscall::kernelName).orElse("call " + data.number()) + " of " + pid
                + "]";
    }
}

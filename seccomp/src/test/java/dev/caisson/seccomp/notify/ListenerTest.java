// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.notify;

import static dev.caisson.seccomp.Arg.arg;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Native;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Notification;
import dev.caisson.seccomp.Reply;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.seccomp.Supervision;
import dev.caisson.seccomp.Supervisor;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Supervisors of the calls of one thread, in the real kernel. */
@ExtendWith(NoLeaks.class)
class ListenerTest {
    private static final int PAGE = 4096;

    private static Seccomp policy(Supervisor supervisor) {
        return Seccomp.otherwise(Action.allow()).supervise(Syscall.GETPPID, supervisor);
    }

    /** {@return what getppid(2) with a supervisor returns} */
    private static long getppid(Supervisor supervisor, long... args) throws Exception {
        return getppid(policy(supervisor), args);
    }

    private static long getppid(Seccomp policy, long... args) throws Exception {
        long first = args.length > 0 ? args[0] : 0;
        long second = args.length > 1 ? args[1] : 0;
        try (var thread = new SupervisedThread(policy)) {
            return thread.run(() -> Native.call(Syscall.GETPPID, first, second, 0));
        }
    }

    @Test
    void aSupervisorReturnsAValueOfItsChoice() throws Exception {
        assertEquals(1L << 40, getppid(_ -> Reply.returning(1L << 40)));
    }

    @Test
    void aSupervisorFailsTheCallWithAnErrno() throws Exception {
        assertEquals(-Errno.EXDEV.code(), getppid(_ -> Reply.fail(Errno.EXDEV)));
    }

    @Test
    void aSupervisorLetsTheCallProceed() throws Exception {
        assertEquals(Native.call(Syscall.GETPPID, 0), getppid(_ -> Reply.proceed()));
    }

    @Test
    void aSupervisorSeesTheCallItsArgumentsAndTheRule() throws Exception {
        var seen = new AtomicReference<Notification>();
        var tid = new AtomicReference<Long>();
        var policy = Seccomp.otherwise(Action.allow())
                .supervise(
                        Syscall.PERSONALITY,
                        call -> {
                            seen.set(call);
                            return Reply.returning(7);
                        },
                        arg(0).is(0x1234_5678_9abcL));
        try (var thread = new SupervisedThread(policy)) {
            assertEquals(7, (long) thread.run(() -> {
                tid.set(Native.call(Syscall.GETTID, 0));
                return Native.call(Syscall.PERSONALITY, 0x1234_5678_9abcL, 22, 0);
            }));
        }
        var call = seen.get();
        assertEquals(tid.get(), call.pid());
        assertEquals(Syscall.PERSONALITY, call.syscall().orElseThrow());
        assertEquals(0x1234_5678_9abcL, call.arg(0));
        assertEquals(22, call.arg(1));
        assertEquals(policy.rules().getFirst(), call.rule().orElseThrow());
        assertFalse(call.isPending());
    }

    @Test
    void theRuleThatMatchesChoosesTheSupervisorAndOtherArgumentsGoUnasked() throws Exception {
        var policy = Seccomp.otherwise(Action.allow())
                .supervise(Syscall.PERSONALITY, _ -> Reply.returning(1), arg(0).is(1))
                .supervise(Syscall.PERSONALITY, _ -> Reply.returning(2), arg(0).is(2));
        try (var thread = new SupervisedThread(policy)) {
            var results = thread.run(() -> List.of(
                    Native.call(Syscall.PERSONALITY, 2),
                    Native.call(Syscall.PERSONALITY, 1),
                    Native.call(Syscall.PERSONALITY, 0xffff_ffffL)));
            assertEquals(List.of(2L, 1L), results.subList(0, 2));
            assertEquals(Native.call(Syscall.PERSONALITY, 0xffff_ffffL), results.get(2));
        }
    }

    @Test
    void aCallLeftToNobodyFailsWithEnosysAsWithoutAListener() throws Exception {
        assertEquals(
                -Errno.ENOSYS.code(),
                getppid(Seccomp.otherwise(Action.allow()).on(Action.supervise(), Syscall.GETPPID)));
    }

    @Test
    void theCallersMemoryIsReadAndWritten() throws Exception {
        try (var arena = Arena.ofShared()) {
            var text = arena.allocateFrom("as in the caller");
            var words = arena.allocate(16);
            long result = getppid(
                    call -> {
                        String said = call.readString(call.arg(0), 100);
                        call.write(call.arg(1), said.substring(0, 5).getBytes(StandardCharsets.UTF_8));
                        return Reply.returning(call.read(call.arg(1), 16)[4]);
                    },
                    text.address(),
                    words.address());
            assertEquals('n', result);
            assertEquals("as in", words.getString(0));
        }
    }

    @Test
    void aStringMayEndWithItsPageButNotBeyond() throws Exception {
        long pages = Native.call(Syscall.MMAP, 0, 3 * PAGE, 3, 0x22, -1, 0);
        var _ = Native.call(Syscall.MUNMAP, pages + 2 * PAGE, PAGE, 0);
        var memory = java.lang.foreign.MemorySegment.ofAddress(pages).reinterpret(2 * PAGE);
        try {
            memory.fill((byte) 'x');
            memory.set(JAVA_BYTE, 2 * PAGE - 1, (byte) 0);
            long start = pages + PAGE - 10;
            assertEquals(
                    PAGE + 9,
                    getppid(
                            call -> Reply.returning(
                                    call.readString(call.arg(0), 2 * PAGE).length()),
                            start));
            assertEquals(
                    PAGE + 9,
                    getppid(
                            call -> Reply.returning(
                                    call.readString(call.arg(0), PAGE + 9).length()),
                            start));
            assertEquals(
                    -Errno.ENAMETOOLONG.code(),
                    getppid(
                            call -> Reply.returning(
                                    call.readString(call.arg(0), PAGE + 8).length()),
                            start));
            memory.set(JAVA_BYTE, 2 * PAGE - 1, (byte) 'x');
            assertEquals(
                    -Errno.EFAULT.code(),
                    getppid(
                            call -> Reply.returning(
                                    call.readString(call.arg(0), 1 << 20).length()),
                            start));
        } finally {
            var _ = Native.call(Syscall.MUNMAP, pages, 2 * PAGE, 0);
        }
    }

    @Test
    void badPointersAreTypedErrorsAndBecomeEfault() throws Exception {
        for (long address : new long[] {0, 1, -1, -4096, 0x7fff_ffff_ffffL, 1L << 62}) {
            var thrown = new AtomicReference<Throwable>();
            assertEquals(
                    -Errno.EFAULT.code(),
                    getppid(
                            call -> {
                                thrown.set(assertThrows(
                                        Notification.BadAddressException.class,
                                        () -> call.readString(call.arg(0), 10)));
                                assertThrows(
                                        Notification.BadAddressException.class,
                                        () -> call.write(call.arg(0), new byte[3]));
                                return Reply.returning(call.read(call.arg(0), 8).length);
                            },
                            address));
            assertInstanceOf(IOException.class, thrown.get());
        }
    }

    @Test
    void lengthsAreChecked() throws Exception {
        assertEquals(3, getppid(call -> {
            assertThrows(IllegalArgumentException.class, () -> call.read(0, -1));
            assertThrows(IllegalArgumentException.class, () -> call.read(0, (16 << 20) + 1));
            assertThrows(IllegalArgumentException.class, () -> call.readString(0, -1));
            assertArrayEquals(new byte[0], call.read(0, 0));
            return Reply.returning(3);
        }));
    }

    @Test
    void aDescriptorIsInjectedAndTheCallReturnsItsNumber() throws Exception {
        try (var thread =
                new SupervisedThread(policy(call -> Reply.descriptor(call.openOnHost(Path.of("/proc/self/exe"), 0))))) {
            String link = thread.run(() -> {
                try (var fd = Fd.owning(Native.call(Syscall.GETPPID, 0))) {
                    return java.nio.file.Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd.number()))
                            .toString();
                }
            });
            assertEquals(Path.of("/proc/self/exe").toRealPath().toString(), link);
        }
    }

    @Test
    void aDescriptorGetsTheNumberAndTheFlagItIsMeantToHave() throws Exception {
        Supervisor supervisor = call -> Reply.descriptor(call.openOnHost(Path.of("/dev/null"), 0))
                .at(700)
                .closingOnExec();
        assertEquals(700, getppid(supervisor));
        try (var fd = Fd.owning(700)) {
            assertEquals(1, Native.call(Syscall.FCNTL, fd.number(), 1, 0));
        }
    }

    @Test
    void aDescriptorIsInjectedWithoutAnswering() throws Exception {
        try (var arena = Arena.ofShared()) {
            var numbers = arena.allocate(8);
            assertEquals(
                    0,
                    getppid(
                            call -> {
                                for (int i = 0; i < 2; i++) {
                                    int number =
                                            call.inject(Reply.descriptor(call.openOnHost(Path.of("/dev/zero"), 0)));
                                    call.write(
                                            call.arg(0) + 4 * i,
                                            new byte[] {(byte) number, (byte) (number >> 8), 0, 0});
                                }
                                return Reply.returning(0);
                            },
                            numbers.address()));
            for (int i = 0; i < 2; i++) {
                try (var fd = Fd.owning(numbers.getAtIndex(java.lang.foreign.ValueLayout.JAVA_INT, i));
                        var read = Arena.ofConfined()) {
                    assertEquals(5, Files.read(fd, read.allocate(5)));
                }
            }
        }
    }

    @Test
    void aDescriptorOfTheCallerIsDuplicated() throws Exception {
        try (var pipe = Files.pipe()) {
            assertEquals(
                    2,
                    getppid(
                            call -> {
                                try (var writer = call.descriptor((int) call.arg(0))) {
                                    java.nio.file.Files.write(writer.path(), new byte[] {1, 2});
                                }
                                assertEquals(
                                        Errno.EBADF,
                                        assertThrows(LinuxException.class, () -> call.descriptor(999_999))
                                                .errno());
                                return Reply.returning(2);
                            },
                            pipe.writer().number()));
            try (var arena = Arena.ofConfined()) {
                assertEquals(2, Files.read(pipe.reader(), arena.allocate(4)));
            }
        }
    }

    @Test
    void aSupervisorThatThrowsOrReturnsNothingRefusesAndSomebodyIsTold() throws Exception {
        for (var supervisor : List.<Supervisor>of(
                _ -> {
                    throw new IllegalStateException("a bug");
                },
                _ -> {
                    throw new StackOverflowError("a bug");
                },
                _ -> null)) {
            var told = new CompletableFuture<Throwable>();
            var policy = policy(supervisor)
                    .supervision(Supervision.standard().onFailure((_, failure) -> told.complete(failure)));
            assertEquals(-Errno.EPERM.code(), getppid(policy));
            assertTrue(told.get(1, TimeUnit.SECONDS).toString().matches(".*a bug|.*returned null"));
        }
    }

    @Test
    void aFailureListenerThatFailsChangesNothing() throws Exception {
        var policy = policy(_ -> null).supervision(Supervision.standard().onFailure((_, _) -> {
            throw new IllegalStateException("on purpose");
        }));
        assertEquals(-Errno.EPERM.code(), getppid(policy));
    }

    @Test
    void aSupervisorThatTakesTooLongIsInterruptedAndTheCallRefused() throws Exception {
        var interrupted = new CompletableFuture<Boolean>();
        var told = new CompletableFuture<Throwable>();
        var policy = policy(_ -> {
                    try {
                        Thread.sleep(60_000);
                    } catch (InterruptedException expected) {
                        interrupted.complete(true);
                        throw expected;
                    }
                    return Reply.proceed();
                })
                .supervision(Supervision.standard()
                        .timeout(Duration.ofMillis(50))
                        .onFailure((_, failure) -> told.complete(failure)));
        assertEquals(-Errno.EPERM.code(), getppid(policy));
        assertTrue(interrupted.get(1, TimeUnit.SECONDS));
        assertInstanceOf(TimeoutException.class, told.get(1, TimeUnit.SECONDS));
    }

    @Test
    void whatWouldLookLikeAnErrorIsNoValue() {
        assertThrows(IllegalArgumentException.class, () -> Reply.returning(-1));
        assertThrows(IllegalArgumentException.class, () -> Reply.returning(-4095));
        assertEquals(new Reply.Returning(-4096), Reply.returning(-4096));
        assertThrows(IllegalArgumentException.class, () -> new Reply.Fail(0));
        assertThrows(IllegalArgumentException.class, () -> new Reply.Fail(4096));
    }

    @Test
    void closingTheListenerInterruptsTheSupervisorAndFailsTheCallWithEnosys() throws Exception {
        var asked = new CountDownLatch(1);
        var policy = policy(call -> {
            asked.countDown();
            while (call.isPending()) {
                Thread.sleep(60_000);
            }
            return Reply.proceed();
        });
        try (var thread = new SupervisedThread(policy)) {
            var call = thread.begin(() -> Native.call(Syscall.GETPPID, 0));
            asked.await();
            thread.listener().close();
            long result = call.get(5, TimeUnit.SECONDS);
            assertTrue(result == -Errno.EPERM.code() || result == -Errno.ENOSYS.code(), "getppid = " + result);
        }
    }

    @Test
    void afterTheListenerIsClosedNoSupervisorIsAskedAnyMore() throws Exception {
        try (var thread = new SupervisedThread(policy(_ -> Reply.returning(1)))) {
            thread.listener().close();
            assertEquals(-Errno.ENOSYS.code(), (long) thread.run(() -> Native.call(Syscall.GETPPID, 0)));
        }
    }

    @Test
    void callsOfOneFilterAreDecidedOneAtATimeUnlessToldOtherwise() throws Exception {
        try (var thread = new SupervisedThread(policy(_ -> Reply.returning(1)))) {
            var sum = thread.run(() -> {
                long all = 0;
                for (int i = 0; i < 10_000; i++) {
                    all += Native.call(Syscall.GETPPID, 0);
                }
                return all;
            });
            assertEquals(10_000L, (long) sum);
        }
        var both = new CountDownLatch(2);
        var concurrent = policy(_ -> {
                    both.countDown();
                    both.await();
                    return Reply.returning(1);
                })
                .supervision(Supervision.standard().concurrent());
        try (var thread = new SupervisedThread(concurrent)) {
            long results = thread.run(() -> {
                // A thread inherits the filters of the one that starts it.
                var second = new CompletableFuture<Long>();
                Thread.ofPlatform().start(() -> second.complete(Native.call(Syscall.GETPPID, 0)));
                return Native.call(Syscall.GETPPID, 0) + second.get();
            });
            assertEquals(2, results);
        }
    }

    @Test
    void policiesAreEqualIfTheirSupervisorsAre() {
        Supervisor one = _ -> Reply.proceed();
        Supervisor other = _ -> Reply.fail(Errno.EPERM);
        assertEquals(policy(one), policy(one));
        assertEquals(policy(one).hashCode(), policy(one).hashCode());
        assertFalse(policy(one).equals(policy(other)));
        assertEquals(policy(one).compile().program(), policy(other).compile().program());
        assertTrue(assertThrows(
                        IllegalArgumentException.class, () -> policy(one).supervise(Syscall.GETPPID, other))
                .getMessage()
                .contains("can never decide"));
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class PollerTest {
    private static final int SECONDS = 20;

    @Test
    void nothingThatIsThrownEndsIt() throws Exception {
        var before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((_, thrown) -> {
            throw new IllegalStateException("a handler of the application", thrown);
        });
        try (var poller = new Poller()) {
            var _ = poller.after(0, () -> {
                throw new AssertionError("a bug");
            });
            var _ = poller.after(0, () -> {
                throw new OutOfMemoryError("for a moment");
            });
            poller.handOff(() -> {
                throw new AssertionError("a bug of a hand");
            });
            var called = new CountDownLatch(2);
            var _ = poller.after(TimeUnit.MILLISECONDS.toNanos(10), called::countDown);
            poller.handOff(called::countDown);
            assertTrue(called.await(SECONDS, TimeUnit.SECONDS));
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before);
        }
    }

    @Test
    void anAlarmForEverDelaysNoOther() throws Exception {
        try (var poller = new Poller()) {
            var never = poller.after(Patience.nanos(Duration.ofSeconds(Long.MAX_VALUE)), () -> {});
            var called = new CountDownLatch(1);
            var _ = poller.after(TimeUnit.MILLISECONDS.toNanos(10), called::countDown);
            assertTrue(called.await(SECONDS, TimeUnit.SECONDS));
            never.cancel();
        }
    }

    @Test
    void workIsDoneByTheThreadsThereAreWhereNoneCanBeMade() throws Exception {
        var made = new AtomicInteger();
        try (var hands = new Hands(work -> {
            if (made.incrementAndGet() > 1) {
                throw new OutOfMemoryError("unable to create native thread");
            }
            return Thread.ofPlatform().daemon().name("caisson-hand-test").unstarted(work);
        })) {
            var done = new CountDownLatch(50);
            for (int i = 0; i < 50; i++) {
                hands.take(done::countDown);
            }
            assertTrue(done.await(SECONDS, TimeUnit.SECONDS));
            assertTrue(made.get() > 1);
        }
    }

    @Test
    void durationsOfAnyLengthAreWaitsThatDoNotOverflow() {
        assertEquals(0, Patience.nanos(Duration.ofSeconds(Long.MIN_VALUE)));
        assertEquals(0, Patience.nanos(Duration.ZERO));
        assertEquals(1_000_000, Patience.nanos(Duration.ofMillis(1)));
        assertEquals(Long.MAX_VALUE / 4, Patience.nanos(Duration.ofSeconds(Long.MAX_VALUE)));
        assertEquals(Long.MAX_VALUE / 4, Patience.nanos(Duration.ofNanos(Long.MAX_VALUE)));
        assertTrue(System.nanoTime() + Patience.nanos(Duration.ofDays(300 * 365)) > System.nanoTime());
    }
}

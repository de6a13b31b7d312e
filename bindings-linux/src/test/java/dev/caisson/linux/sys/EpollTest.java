// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Syscall;
import dev.caisson.testkit.NoLeaks;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(NoLeaks.class)
class EpollTest {
    private static void write(Fd fd) {
        try (var arena = Arena.ofConfined()) {
            assertEquals(
                    1, Native.call(Syscall.WRITE, fd.number(), arena.allocate(1).address(), 1));
        }
    }

    private static List<String> ready(Epoll epoll, int millis) throws Exception {
        var all = new ArrayList<String>();
        epoll.await(millis, (data, events) -> all.add(data + ":" + Integer.toHexString(events)));
        return all;
    }

    @Test
    void theDataComesBackWholeWithTheEvent() throws Exception {
        try (var epoll = Epoll.create();
                var pipe = Files.pipe()) {
            long data = 0x1234_5678_9abc_def0L;
            epoll.add(pipe.reader(), Epoll.IN, data);
            assertEquals(List.of(), ready(epoll, 0));
            write(pipe.writer());
            assertEquals(List.of(data + ":1"), ready(epoll, 1000));
            // Level-triggered: still ready.
            assertEquals(List.of(data + ":1"), ready(epoll, 0));
            pipe.writer().close();
            assertEquals(List.of(data + ":11"), ready(epoll, 0));
        }
    }

    @Test
    void aOneShotWatchSpeaksOnce() throws Exception {
        try (var epoll = Epoll.create();
                var pipe = Files.pipe()) {
            epoll.add(pipe.reader(), Epoll.IN | Epoll.ONESHOT, 1);
            write(pipe.writer());
            assertEquals(List.of("1:1"), ready(epoll, 1000));
            assertEquals(List.of(), ready(epoll, 0));
        }
    }

    @Test
    void whatIsRemovedIsSilent() throws Exception {
        try (var epoll = Epoll.create();
                var pipe = Files.pipe()) {
            epoll.add(pipe.reader(), Epoll.IN, 1);
            epoll.remove(pipe.reader());
            write(pipe.writer());
            assertEquals(List.of(), ready(epoll, 0));
        }
    }

    @Test
    void moreThanOneWaitHoldsAreAllTold() throws Exception {
        int pipes = 300;
        var all = new ArrayList<Files.Pipe>();
        try (var epoll = Epoll.create()) {
            for (int i = 1; i <= pipes; i++) {
                var pipe = Files.pipe();
                all.add(pipe);
                epoll.add(pipe.reader(), Epoll.IN | Epoll.ONESHOT, i);
                write(pipe.writer());
            }
            Set<Long> seen = new HashSet<>();
            for (int i = 0; i < 3; i++) {
                epoll.await(0, (data, _) -> seen.add(data));
            }
            assertEquals(pipes, seen.size());
        } finally {
            all.forEach(Files.Pipe::close);
        }
    }

    @Test
    void aWaiterIsWokenAndWakingManyTimesIsLikeOnce() throws Exception {
        try (var epoll = Epoll.create()) {
            var woken = CompletableFuture.runAsync(() -> {
                try {
                    epoll.await(-1, (_, _) -> {});
                } catch (Exception failed) {
                    throw new IllegalStateException(failed);
                }
            });
            epoll.wake();
            epoll.wake();
            woken.get(10, TimeUnit.SECONDS);
            epoll.wake();
            long before = System.nanoTime();
            assertEquals(List.of(), ready(epoll, 5000));
            assertTrue(System.nanoTime() - before < TimeUnit.SECONDS.toNanos(5));
        }
    }
}

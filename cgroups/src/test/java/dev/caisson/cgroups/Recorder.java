// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Flow;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** A subscriber that keeps what it gets, and takes as much as it is told to. */
final class Recorder<T> implements Flow.Subscriber<T> {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final long atOnce;
    private final List<T> events = new ArrayList<>();
    private final List<String> threads = new ArrayList<>();
    private Flow.@Nullable Subscription subscription;
    private boolean complete;
    private @Nullable Throwable failure;

    /** @param atOnce how many it requests when it subscribes */
    Recorder(long atOnce) {
        this.atOnce = atOnce;
    }

    static <T> Recorder<T> of(Flow.Publisher<T> publisher) {
        var recorder = new Recorder<T>(Long.MAX_VALUE);
        publisher.subscribe(recorder);
        return recorder;
    }

    @Override
    public void onSubscribe(Flow.Subscription begun) {
        synchronized (this) {
            subscription = begun;
        }
        if (atOnce > 0) {
            begun.request(atOnce);
        }
    }

    @Override
    public synchronized void onNext(T event) {
        events.add(event);
        threads.add(
                Thread.currentThread().isVirtual()
                        ? "virtual"
                        : Thread.currentThread().getName());
        notifyAll();
    }

    @Override
    public synchronized void onError(Throwable why) {
        failure = why;
        notifyAll();
    }

    @Override
    public synchronized void onComplete() {
        complete = true;
        notifyAll();
    }

    synchronized Flow.Subscription subscription() {
        return java.util.Objects.requireNonNull(subscription);
    }

    synchronized List<T> events() {
        return List.copyOf(events);
    }

    synchronized List<String> threads() {
        return List.copyOf(threads);
    }

    synchronized boolean isComplete() {
        return complete;
    }

    synchronized @Nullable Throwable failure() {
        return failure;
    }

    /** {@return the first event of a kind, which may be still to come} */
    <E extends T> E await(Class<E> kind) throws InterruptedException {
        return await(kind, _ -> true);
    }

    synchronized <E extends T> E await(Class<E> kind, Predicate<E> condition) throws InterruptedException {
        awaitThat(() -> events.stream().filter(kind::isInstance).map(kind::cast).anyMatch(condition));
        return events.stream()
                .filter(kind::isInstance)
                .map(kind::cast)
                .filter(condition)
                .findFirst()
                .orElseThrow();
    }

    synchronized void awaitEnd() throws InterruptedException {
        awaitThat(() -> complete || failure != null);
    }

    synchronized void awaitThat(java.util.function.BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean() && System.nanoTime() < end) {
            wait(100);
        }
        assertTrue(
                condition.getAsBoolean(), "in vain after " + events + (complete ? ", complete" : "") + ", " + failure);
    }
}

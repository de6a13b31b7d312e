// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.watch;

import java.util.LinkedHashMap;
import java.util.concurrent.Flow;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Brings events to one subscriber, on a virtual thread while there are any: whoever tells of an event never waits for it. What
 * the subscriber has not asked for yet is merged by kind, so that it takes a bounded amount of memory however slow it is.
 * Thread-safe.
 */
public final class Delivery<T> implements Flow.Subscription {
    /** How events that wait become one. */
    public interface Merging<T> {
        /** {@return what two events have in common that can be merged} */
        Object kind(T event);

        T merge(T older, T newer);
    }

    private final Flow.Subscriber<? super T> subscriber;
    private final Merging<T> merging;
    private final UnaryOperator<T> completing;
    private final LinkedHashMap<Object, T> waiting = new LinkedHashMap<>();
    private @Nullable Runnable atEnd;
    private long wanted;
    private boolean busy = true; // Until onSubscribe has returned.
    private boolean told;
    private boolean over;
    private @Nullable Throwable failure;

    /** @param completing adds to an event, on the subscriber's thread, what takes longer to find out */
    public Delivery(Flow.Subscriber<? super T> subscriber, Merging<T> merging, UnaryOperator<T> completing) {
        this.subscriber = subscriber;
        this.merging = merging;
        this.completing = completing;
    }

    /**
     * Begins; must be called once, by the thread that subscribes.
     *
     * @param end done once, when the subscriber cancels or nothing more can come
     */
    public void begin(Runnable end) {
        synchronized (this) {
            atEnd = end;
        }
        try {
            subscriber.onSubscribe(this);
        } catch (RuntimeException | Error bug) {
            cancel();
            throw bug;
        } finally {
            boolean ended;
            synchronized (this) {
                busy = false;
                ended = over || told;
            }
            if (ended) {
                release();
            }
        }
        wake();
    }

    /** Tells of an event. */
    public void offer(T event) {
        synchronized (this) {
            if (over || told) {
                return;
            }
            waiting.merge(merging.kind(event), event, merging::merge);
        }
        wake();
    }

    /** Nothing more will come; what waits is delivered still. */
    public void complete() {
        end(null);
    }

    /** Nothing more can come. */
    public void fail(Throwable why) {
        end(why);
    }

    private void end(@Nullable Throwable why) {
        synchronized (this) {
            if (over || told) {
                return;
            }
            told = true;
            failure = why;
        }
        release();
        wake();
    }

    @Override
    public void request(long n) {
        if (n <= 0) {
            synchronized (this) {
                waiting.clear();
            }
            fail(new IllegalArgumentException("request(" + n + "): not a positive number of events"));
            return;
        }
        synchronized (this) {
            wanted = wanted + n < 0 ? Long.MAX_VALUE : wanted + n;
        }
        wake();
    }

    @Override
    public void cancel() {
        synchronized (this) {
            over = true;
            waiting.clear();
        }
        release();
    }

    private void release() {
        Runnable end;
        synchronized (this) {
            end = atEnd;
            atEnd = null;
        }
        if (end != null) {
            end.run();
        }
    }

    private void wake() {
        synchronized (this) {
            if (busy || !hasWork()) {
                return;
            }
            busy = true;
        }
        Thread.ofVirtual().name("caisson-events").start(this::deliver);
    }

    private boolean hasWork() {
        return !over && (!waiting.isEmpty() && wanted > 0 || told && waiting.isEmpty());
    }

    private void deliver() {
        try {
            while (true) {
                T next = null;
                synchronized (this) {
                    if (!hasWork()) {
                        busy = false;
                        return;
                    }
                    if (waiting.isEmpty()) {
                        over = true;
                    } else {
                        next = waiting.pollFirstEntry().getValue();
                        wanted--;
                    }
                }
                if (next != null) {
                    subscriber.onNext(completing.apply(next));
                } else if (failure != null) {
                    subscriber.onError(failure);
                } else {
                    subscriber.onComplete();
                }
            }
        } catch (RuntimeException | Error bug) {
            // A subscriber that throws has ended its subscription (Reactive Streams, rule 2.13).
            cancel();
            var thread = Thread.currentThread();
            thread.getUncaughtExceptionHandler().uncaughtException(thread, bug);
        }
    }
}

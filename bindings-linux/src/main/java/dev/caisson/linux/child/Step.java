// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Call;
import java.util.Optional;

/**
 * One step of a program.
 *
 * @param phase the part of the launch it belongs to, such as {@code "mounts"}
 * @param purpose what it is for, in the user's words, such as {@code "mount /proc"}
 * @param task which task it belongs to, where somebody treats its failure or its place in a special way
 * @param needs the privilege or feature without which it fails, or the empty string
 * @param result the name of its result, or the empty string if nobody uses it
 */
public record Step(
        String phase, String purpose, Optional<Task> task, String needs, String result, Operation operation) {

    /** Names a part of a launch for programs, as the purpose does for people; an enum of whoever plans implements it. */
    public interface Task {}

    /** What a step does. All but {@link Invoke} and {@link Execute} stay within the child's own memory. */
    public sealed interface Operation {}

    /** A system call. */
    public record Invoke(Call call, OnError onError) implements Operation {}

    /** An {@code execve}: as {@link Invoke}, and from here on the launch counts as done unless it fails after all. */
    public record Execute(Call call, OnError onError) implements Operation {}

    /** Goes on at the label if the condition holds between the two values. */
    public record Branch(Condition condition, Arg left, Arg right, Label target) implements Operation {}

    /** Reads memory; a {@link Width#INT} is sign-extended. */
    public record Load(Width width, Arg address) implements Operation {}

    /** Writes memory. */
    public record Store(Width width, Arg address, Arg value) implements Operation {}

    /** Adds two values, wrapping around. */
    public record Add(Arg left, Arg right) implements Operation {}

    /** Reports this step with the given errno and ends the child. */
    public record Fail(Arg errno) implements Operation {}

    /** Goes on in another table, at an address of the child's memory; nothing leads back (see {@link ZygoteProgram}). */
    public record Enter(Arg address) implements Operation {}

    /** When a {@link Branch} is taken, in the order of the stub's numbers; comparisons are signed. */
    public enum Condition {
        ALWAYS,
        EQUAL,
        NOT_EQUAL,
        LESS,
        ANY_BIT
    }

    /** How much memory a {@link Load} or {@link Store} touches. */
    public enum Width {
        INT,
        LONG
    }

    /** {@return the step as one line of a listing} */
    @Override
    public String toString() {
        String text = switch (operation) {
            case Invoke i -> i.call() + suffix(i.onError());
            case Execute e -> e.call() + suffix(e.onError());
            case Branch b
            when b.condition() == Condition.ALWAYS -> "goto L" + b.target().id();
            case Branch b ->
                "if " + b.left().text() + symbol(b.condition()) + b.right().text() + " goto L"
                        + b.target().id();
            case Load l -> "*" + l.address().text();
            case Store s -> "*" + s.address().text() + " = " + s.value().text();
            case Add a -> a.left().text() + " + " + a.right().text();
            case Fail f -> "fail " + f.errno().text();
            case Enter e -> "enter " + e.address().text();
        };
        return result.isEmpty() ? text : result + " = " + text;
    }

    private static String symbol(Condition condition) {
        return switch (condition) {
            case ALWAYS -> " ";
            case EQUAL -> " == ";
            case NOT_EQUAL -> " != ";
            case LESS -> " < ";
            case ANY_BIT -> " & ";
        };
    }

    private static String suffix(OnError onError) {
        String which = onError.errnos().isEmpty()
                ? "any error"
                : String.join(" ", onError.errnos().stream().map(e -> e.name()).toList());
        return switch (onError) {
            case OnError.Fail _ -> "";
            case OnError.Ignore _ -> "   // " + which + ": ignored";
            case OnError.Jump j -> "   // " + which + ": goto L" + j.target().id();
        };
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.bpf;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;

/**
 * Writes a program with labels instead of distances. All jumps go forward, as the kernel demands. Where a label is farther
 * than the 255 instructions that a conditional jump reaches, the jump lands on a copy of what is there (a return) or on an
 * unconditional jump, put right behind it and shared by the jumps before it.
 *
 * <p>Not thread-safe; used once.
 */
public final class Assembler {
    private static final int UNBOUND = -1;

    /** A place in the program, to be bound exactly once, after the jumps to it. */
    public static final class Label {
        private int item = UNBOUND;
        /** Counted from the end of the program, where code is already final: the nearest way to this place. */
        private int nearest = UNBOUND;

        private Label() {}
    }

    private sealed interface Item {
        record Plain(Instruction instruction) implements Item {}

        record Jump(Label target) implements Item {}

        record Branch(int code, int k, Label yes, Label no) implements Item {}
    }

    private final List<Item> items = new ArrayList<>();
    private final List<Label> labels = new ArrayList<>();

    /** Begins an empty program. */
    public Assembler() {}

    /** {@return a new place, not yet bound} */
    public Label label() {
        var label = new Label();
        labels.add(label);
        return label;
    }

    /** The label means the next instruction from here on. */
    public void bind(Label label) {
        if (label.item != UNBOUND) {
            throw new IllegalStateException("a label is bound twice");
        }
        label.item = items.size();
    }

    /** Loads a word of {@link SeccompData}. */
    public void load(int offset) {
        items.add(new Item.Plain(Instruction.of(Opcode.LD_ABS, offset)));
    }

    /** Takes bits away from the accumulator: keeps those of a mask. */
    public void and(int mask) {
        items.add(new Item.Plain(Instruction.of(Opcode.AND, mask)));
    }

    /** Ends the program with a result. */
    public void ret(int value) {
        items.add(new Item.Plain(Instruction.of(Opcode.RET, value)));
    }

    /** Goes on at a label. */
    public void jump(Label target) {
        items.add(new Item.Jump(target));
    }

    /**
     * Tests the accumulator.
     *
     * @param code JEQ, JGT, JGE or JSET
     */
    public void branch(int code, int k, Label yes, Label no) {
        items.add(new Item.Branch(code, k, yes, no));
    }

    /**
     * {@return the program} It may exceed the kernel's limit of 4,096 instructions; the caller checks.
     *
     * @throws IllegalStateException if a label is not bound, or a jump goes backward
     */
    public List<Instruction> assemble() {
        var bound = new ArrayList<Label>();
        for (var label : labels) {
            if (label.item != UNBOUND) {
                bound.add(label);
            }
        }
        bound.sort(Comparator.comparingInt(label -> label.item));
        while (!bound.isEmpty() && bound.getLast().item == items.size()) {
            bound.removeLast(); // Past the end: a jump there is refused.
        }
        // From the end to the beginning: all that a jump can reach is final when the jump is written.
        var reversed = new ArrayList<Instruction>();
        for (int i = items.size() - 1; i >= 0; i--) {
            switch (items.get(i)) {
                case Item.Plain(var instruction) -> reversed.add(instruction);
                case Item.Jump(var target) ->
                    reversed.add(Instruction.of(Opcode.JA, reversed.size() - 1 - position(target)));
                case Item.Branch b -> branch(reversed, b);
            }
            while (!bound.isEmpty() && bound.getLast().item == i) {
                bound.removeLast().nearest = reversed.size() - 1;
            }
        }
        Collections.reverse(reversed);
        return List.copyOf(reversed);
    }

    private static void branch(List<Instruction> reversed, Item.Branch b) {
        // A detour for one side moves the other away: leave room for two.
        for (var side : Arrays.asList(b.no, b.yes)) {
            if (reversed.size() + 2 - 1 - position(side) > Instruction.FARTHEST) {
                detour(reversed, side);
            }
        }
        int last = reversed.size() - 1;
        reversed.add(new Instruction(b.code, last - b.yes.nearest, last - b.no.nearest, b.k));
    }

    private static void detour(List<Instruction> reversed, Label label) {
        var target = reversed.get(position(label));
        reversed.add(
                target.code() == Opcode.RET
                        ? target
                        : Instruction.of(Opcode.JA, reversed.size() - 1 - position(label)));
        label.nearest = reversed.size() - 1;
    }

    private static int position(Label label) {
        if (label.nearest == UNBOUND) {
            throw new IllegalStateException(
                    label.item == UNBOUND ? "a label is not bound" : "a jump goes backward, or past the end");
        }
        return label.nearest;
    }
}

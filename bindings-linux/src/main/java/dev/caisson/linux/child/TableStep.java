// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A step as the table holds it.
 *
 * @param onError 0 to fail, {@link TableLayout#IGNORE} or {@link TableLayout#JUMP}
 * @param target an offset from the beginning of the table
 * @param errnos those the rule is for; none means all
 */
record TableStep(
        OpCode operation,
        int references,
        int onError,
        Step.Condition condition,
        int target,
        long[] args,
        int number,
        int[] errnos) {

    static TableStep read(ByteBuffer table, int at) {
        long[] args = new long[6];
        for (int i = 0; i < args.length; i++) {
            args[i] = table.getLong(argument(at, i));
        }
        int[] errnos = new int[OnError.MAX_ERRNOS];
        for (int i = 0; i < errnos.length; i++) {
            errnos[i] = Short.toUnsignedInt(table.getShort(at + TableLayout.STEP_ERRNOS + i * Short.BYTES));
        }
        return new TableStep(
                OpCode.values()[table.get(at + TableLayout.STEP_OPERATION)],
                table.get(at + TableLayout.STEP_REFERENCES),
                table.get(at + TableLayout.STEP_ON_ERROR),
                Step.Condition.values()[table.get(at + TableLayout.STEP_CONDITION)],
                table.getInt(at + TableLayout.STEP_TARGET),
                args,
                Short.toUnsignedInt(table.getShort(at + TableLayout.STEP_NUMBER)),
                Arrays.stream(errnos).filter(e -> e != 0).toArray());
    }

    /** {@return the offset of an argument of the step at an offset} */
    static int argument(int at, int index) {
        return at + TableLayout.STEP_ARGS + index * Long.BYTES;
    }

    /** {@return whether an argument is the address of its value} */
    boolean isReference(int index) {
        return (references & 1 << index) != 0;
    }

    boolean appliesTo(int errno) {
        return errnos.length == 0 || Arrays.stream(errnos).anyMatch(e -> e == errno);
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.ebpf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class AssemblerTest {
    @Test
    void aJumpGoesToItsLabel() {
        var code = new Assembler();
        var other = code.label();
        byte[] program = code.loadWord(2, 1, 0)
                .jumpUnless(2, 7, other)
                .exit(1)
                .bind(other)
                .exit(0)
                .encode();
        assertEquals(1, Simulator.run(program, 7));
        assertEquals(0, Simulator.run(program, 8));
    }

    @Test
    void aJumpToNowhereIsNoProgram() {
        var code = new Assembler();
        code.loadWord(2, 1, 0).jumpIf(2, 7, code.label()).exit(1);
        assertThrows(IllegalStateException.class, code::encode);
    }

    @Test
    void aLabelIsBoundOnceAndNeverBehindAJump() {
        var code = new Assembler();
        var label = code.label();
        code.bind(label);
        assertThrows(IllegalStateException.class, () -> code.bind(label));
        assertThrows(IllegalStateException.class, () -> code.jumpIf(2, 7, label));
    }

    @Test
    void aJumpThatIsTooFarIsRefused() {
        var code = new Assembler();
        var far = code.label();
        code.loadWord(2, 1, 0).jumpIf(2, 7, far);
        for (int i = 0; i <= Short.MAX_VALUE; i++) {
            code.and(2, 1);
        }
        assertThrows(IllegalStateException.class, () -> code.bind(far));
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v2;

import dev.caisson.cgroups.ebpf.Assembler;
import dev.caisson.cgroups.spec.DeviceRules;
import dev.caisson.cgroups.spec.DeviceRules.Rule;
import dev.caisson.cgroups.spec.DeviceRules.Rule.Access;

/**
 * Device rules as an eBPF program that the kernel asks at each mknod and open of a device. It gets
 *
 * <pre>
 *   struct bpf_cgroup_dev_ctx {
 *       __u32 access_type;   // access {@literal <}{@literal <} 16 | type
 *       __u32 major;
 *       __u32 minor;
 *   };
 * </pre>
 *
 * and goes through the rules from the last to the first. What of the access is left to decide is in {@link #LEFT}: a rule that
 * denies any of it ends the matter, one that allows takes its part away, and when nothing is left the answer is yes.
 */
public final class Devices {
    private static final int CONTEXT = 1;
    private static final int TYPE = 2;
    private static final int LEFT = 3;
    private static final int MAJOR = 4;
    private static final int MINOR = 5;
    private static final int SCRATCH = 6;

    private static final int BLOCK = 1;
    private static final int CHARACTER = 2;
    private static final int ALL_ACCESS = 7;
    private static final int DENIED = 0;
    private static final int ALLOWED = 1;

    private Devices() {}

    /** {@return the encoded program} */
    public static byte[] program(DeviceRules rules) {
        var code = new Assembler()
                .loadWord(TYPE, CONTEXT, 0)
                .moveRegister(LEFT, TYPE)
                .and(TYPE, 0xffff)
                .shiftRight(LEFT, 16)
                .loadWord(MAJOR, CONTEXT, 4)
                .loadWord(MINOR, CONTEXT, 8);
        for (var rule : rules.rules().reversed()) {
            var next = code.label();
            if (rule.type() != Rule.Type.ALL) {
                code.jumpUnless(TYPE, rule.type() == Rule.Type.BLOCK ? BLOCK : CHARACTER, next);
            }
            rule.major().ifPresent(n -> code.jumpUnless(MAJOR, n, next));
            rule.minor().ifPresent(n -> code.jumpUnless(MINOR, n, next));
            if (rule.allowed()) {
                code.and(LEFT, ALL_ACCESS & ~mask(rule))
                        .jumpUnless(LEFT, 0, next)
                        .exit(ALLOWED);
                code.bind(next);
            } else {
                code.moveRegister(SCRATCH, LEFT).and(SCRATCH, mask(rule)).jumpIf(SCRATCH, 0, next);
                code.exit(DENIED).bind(next);
            }
        }
        return code.exit(DENIED).encode();
    }

    private static int mask(Rule rule) {
        int mask = 0;
        for (var access : rule.access()) {
            mask |= bit(access);
        }
        return mask;
    }

    /** {@return the BPF_DEVCG_ACC_* bit of an access} */
    public static int bit(Access access) {
        return switch (access) {
            case MKNOD -> 1;
            case READ -> 2;
            case WRITE -> 4;
        };
    }

    /** {@return the BPF_DEVCG_DEV_* number of a type} */
    public static int number(Rule.Type type) {
        return switch (type) {
            case BLOCK -> BLOCK;
            case CHARACTER -> CHARACTER;
            case ALL -> throw new IllegalArgumentException("a device is of one type");
        };
    }
}

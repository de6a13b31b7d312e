// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.notify;

import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.caisson.linux.Feature;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.UnsupportedKernelException;
import dev.caisson.linux.sys.Native;
import java.lang.foreign.Arena;

/** The sizes of this kernel's structs (SECCOMP_GET_NOTIF_SIZES), which may be larger than those known here. */
record NotificationSizes(int notif, int response) {
    private static final int GET_NOTIF_SIZES = 3;
    private static final int KNOWN_NOTIF = 80;
    private static final int KNOWN_RESPONSE = 24;

    static NotificationSizes ofThisKernel() throws UnsupportedKernelException {
        try (var arena = Arena.ofConfined()) {
            var sizes = arena.allocate(JAVA_SHORT, 3);
            if (Native.failed(Native.call(Syscall.SECCOMP, GET_NOTIF_SIZES, 0, sizes.address()))) {
                throw new UnsupportedKernelException(
                        Feature.SECCOMP_USER_NOTIFICATION, "leave the supervisors out of the policy");
            }
            return new NotificationSizes(
                    Math.max(KNOWN_NOTIF, Short.toUnsignedInt(sizes.getAtIndex(JAVA_SHORT, 0))),
                    Math.max(KNOWN_RESPONSE, Short.toUnsignedInt(sizes.getAtIndex(JAVA_SHORT, 1))));
        }
    }
}

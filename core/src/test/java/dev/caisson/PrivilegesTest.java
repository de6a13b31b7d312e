// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static dev.caisson.Samples.sh;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.spec.Capabilities;
import dev.caisson.spec.Capability;
import dev.caisson.spec.Securebit;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@NeedsRoot
@ExtendWith(NoLeaks.class)
class PrivilegesTest {
    private static final long DOCKER = 0xa80425fbL;

    private static Map<String, Long> sets(ContainerBuilder container) throws Exception {
        var sets = new TreeMap<String, Long>();
        container
                .capture("cat", "/proc/self/status")
                .orThrow()
                .text()
                .lines()
                .filter(l -> l.startsWith("Cap"))
                .forEach(l -> sets.put(l.substring(3, 6), Long.parseUnsignedLong(l.split("\\s+")[1], 16)));
        return sets;
    }

    private static Map<String, Long> all(long inh, long prm, long eff, long bnd, long amb) {
        return new TreeMap<>(Map.of("Inh", inh, "Prm", prm, "Eff", eff, "Bnd", bnd, "Amb", amb));
    }

    @Test
    void rootHasDockersCapabilitiesByDefault() throws Exception {
        assertEquals(all(0, DOCKER, DOCKER, DOCKER, 0), sets(overHost()));
    }

    @Test
    void anOrdinaryUserHasNone() throws Exception {
        assertEquals(all(0, 0, 0, DOCKER, 0), sets(overHost().user(5, 5)));
    }

    @Test
    void noneIsNone() throws Exception {
        assertEquals(all(0, 0, 0, 0, 0), sets(overHost().capabilities(Capabilities.none())));
    }

    @Test
    void capabilitiesAreAddedAndDropped() throws Exception {
        long expected = DOCKER | 1L << Capability.SYS_PTRACE.ordinal() & ~0L;
        expected &= ~(1L << Capability.CHOWN.ordinal());
        assertEquals(
                all(0, expected, expected, expected, 0),
                sets(overHost().addCapabilities(Capability.SYS_PTRACE).dropCapabilities(Capability.CHOWN)));
    }

    @Test
    void ambientOnesAreKeptByAnOrdinaryUser() throws Exception {
        long bind = 1L << Capability.NET_BIND_SERVICE.ordinal();
        var capabilities = Capabilities.ambient(Set.of(Capability.NET_BIND_SERVICE));
        assertEquals(
                all(bind, bind, bind, bind, bind), sets(overHost().user(5, 5).capabilities(capabilities)));
    }

    @Test
    void noProgramGainsPrivileges() throws Exception {
        assertEquals("1", sh(overHost(), "awk '/NoNewPrivs/ {print $2}' /proc/self/status"));
        assertEquals("0", sh(overHost().allowNewPrivileges(), "awk '/NoNewPrivs/ {print $2}' /proc/self/status"));
    }

    @Test
    void securebitsKeepRootFromCapabilities() throws Exception {
        var container = overHost().securebits(Securebit.NOROOT, Securebit.NOROOT_LOCKED);
        assertEquals(0, sets(container).get("Eff"));
    }

    /** Refuses uname(2) with the errno 77 and allows the rest, on any 64-bit architecture of this test's. */
    private static byte[] refuseUname() {
        int number = dev.caisson.linux.Syscall.UNAME
                .number(dev.caisson.linux.Arch.host())
                .orElseThrow();
        var program = ByteBuffer.allocate(4 * 8).order(ByteOrder.nativeOrder());
        program.putShort((short) 0x20).put((byte) 0).put((byte) 0).putInt(0); // load the number
        program.putShort((short) 0x15).put((byte) 0).put((byte) 1).putInt(number);
        program.putShort((short) 0x06).put((byte) 0).put((byte) 0).putInt(0x0005_0000 | 77);
        program.putShort((short) 0x06).put((byte) 0).put((byte) 0).putInt(0x7fff_0000);
        return program.array();
    }

    @Test
    void theDefaultPolicyIsDockers() throws Exception {
        assertEquals(
                "2 1",
                sh(overHost(), "awk '/^Seccomp/ {printf $2 \" \"}' /proc/self/status")
                        .strip());
        assertEquals("no", sh(overHost(), "unshare --user true 2>/dev/null || echo no"));
        assertEquals("", sh(overHost().seccompUnconfined(), "unshare --user true 2>/dev/null || echo no"));
        assertEquals("0", sh(overHost().seccompUnconfined(), "awk '/^Seccomp:/ {print $2}' /proc/self/status"));
    }

    @Test
    void theDefaultPolicyFollowsTheCapabilities() throws Exception {
        var container = overHost().addCapabilities(Capability.SYS_ADMIN);
        assertEquals("", sh(container, "unshare --mount true || echo no"));
    }

    @Test
    void aPolicyReplacesTheDefaultOneAndAnotherIsAdded() throws Exception {
        var noUname = Seccomp.otherwise(Action.allow()).fail(Errno.EXDEV, Syscall.UNAME);
        var noSymlinks = Seccomp.otherwise(Action.allow()).fail(Errno.EXDEV, Syscall.SYMLINK, Syscall.SYMLINKAT);
        var both = overHost().seccomp(noUname).seccomp(noSymlinks);
        assertEquals(
                new Exit.Exited(1), overHost().seccomp(noUname).capture("uname").exit());
        assertEquals(
                "2 2 no no",
                sh(
                        both,
                        "echo $(awk '/^Seccomp/ {print $2}' /proc/self/status)"
                                + " $(uname 2>/dev/null || echo no) $(ln -s a /tmp/b 2>/dev/null || echo no)"));
    }

    @Test
    void aSeccompProgramDecidesAboutTheCommandsCalls() throws Exception {
        var output = overHost().seccomp(refuseUname()).capture("uname");
        assertEquals("", output.text());
        assertEquals(new Exit.Exited(1), output.exit());
        assertEquals("2", sh(overHost().seccomp(refuseUname()), "awk '/^Seccomp:/ {print $2}' /proc/self/status"));
    }

    @Test
    void aSeccompProgramWithoutNoNewPrivilegesNeedsPrivilegeAndHasIt() throws Exception {
        var output = overHost().allowNewPrivileges().seccomp(refuseUname()).capture("uname");
        assertEquals(new Exit.Exited(1), output.exit());
    }

    @Test
    void aBrokenSeccompProgramNamesItsStep() {
        byte[] nonsense = new byte[8];
        nonsense[0] = (byte) 0xff;
        var failure = assertThrows(
                ContainerException.class, () -> overHost().seccomp(nonsense).run("true"));
        assertEquals("install seccomp filter 1", failure.step().orElseThrow());
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.testkit;

import dev.caisson.linux.Arch;
import java.lang.reflect.Modifier;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;

/** The constants of the kernel's headers by name. */
public final class KernelNames {
    private final Map<String, Long> values = new HashMap<>();

    private KernelNames(String... generated) throws ReflectiveOperationException {
        for (String name : generated) {
            for (var method : Class.forName("dev.caisson.linux.raw." + name).getMethods()) {
                Class<?> type = method.getReturnType();
                if (Modifier.isStatic(method.getModifiers())
                        && method.getParameterCount() == 0
                        && (type == int.class || type == long.class)
                        && method.getName().matches("_?[A-Z][A-Z0-9_]+")) {
                    method.setAccessible(true); // The class that declares it may be a package-private part.
                    values.put(method.getName(), ((Number) method.invoke(null)).longValue());
                }
            }
        }
    }

    public static KernelNames ofThisArchitecture() throws ReflectiveOperationException {
        return of(Arch.host());
    }

    /** {@return those of x86-64 or AArch64, on whichever this is} */
    public static KernelNames of(Arch arch) throws ReflectiveOperationException {
        return new KernelNames("uapi.Uapi", "libc.Libc", (arch == Arch.AARCH64 ? "aarch64" : "x86_64") + ".Abi");
    }

    public OptionalLong value(String name) {
        Long value = values.get(name);
        return value == null ? OptionalLong.empty() : OptionalLong.of(value);
    }

    /**
     * {@return the value of names joined by {@code |}, numbers in decimal, octal or hexadecimal among them; empty if one of
     * the names is not a kernel's}
     */
    public OptionalLong sum(String names) {
        long sum = 0;
        for (String name : names.split("\\|")) {
            var known = value(name);
            if (known.isPresent()) {
                sum |= known.getAsLong();
            } else if (name.matches("-?[0-9]+|0x[0-9a-f]+")) {
                sum |= Long.decode(name);
            } else {
                return OptionalLong.empty();
            }
        }
        return OptionalLong.of(sum);
    }
}

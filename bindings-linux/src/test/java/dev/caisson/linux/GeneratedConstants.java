// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux;

import java.lang.reflect.Modifier;
import java.util.Map;
import java.util.TreeMap;

/** What a generated class says: its int constants by name. */
final class GeneratedConstants {
    private GeneratedConstants() {}

    static Map<String, Integer> of(Class<?> generated, String namePattern) throws ReflectiveOperationException {
        var constants = new TreeMap<String, Integer>();
        for (var method : generated.getMethods()) {
            if (Modifier.isStatic(method.getModifiers())
                    && method.getParameterCount() == 0
                    && method.getReturnType() == int.class
                    && method.getName().matches(namePattern)) {
                method.setAccessible(true); // the class that declares it may be a package-private part
                constants.put(method.getName(), (Integer) method.invoke(null));
            }
        }
        return constants;
    }
}

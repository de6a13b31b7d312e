// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/** The environment of a command: never the host's, since that may hold secrets; what a shell needs, and what was asked for. */
final class Environment {
    static final String DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    static final String HOME = "HOME";

    /** What every terminal of these days can at least do, and every image knows. */
    private static final String TERM = "xterm";

    static final String HOSTNAME = "HOSTNAME";

    private Environment() {}

    /** {@return whether the home directory becomes known only during the launch} */
    static boolean asksForHome(PlanInput input) {
        return input.principal().isEmpty()
                && !input.spec().bare()
                && !input.spec().process().environment().containsKey(HOME);
    }

    static SequencedMap<String, String> of(ContainerSpec spec, Optional<Principal> principal) {
        var environment = new LinkedHashMap<String, String>();
        if (!spec.bare()) {
            environment.put("PATH", DEFAULT_PATH);
            if (principal.isPresent()) {
                environment.put(HOME, principal.get().home());
            }
            if (spec.process().terminal().isPresent()) {
                environment.put("TERM", TERM);
            }
            var hostname = spec.namespaces().hostnameInside();
            if (hostname.isPresent()) {
                environment.put(HOSTNAME, hostname.get());
            }
        }
        Map<String, String> asked = spec.process().environment();
        environment.putAll(asked);
        return environment;
    }
}

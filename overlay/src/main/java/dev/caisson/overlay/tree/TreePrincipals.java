// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import java.io.IOException;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.UserPrincipal;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.nio.file.attribute.UserPrincipalNotFoundException;

/**
 * Owners by number. The host's names mean other people inside a container, and the container's own /etc/passwd may say
 * anything.
 */
final class TreePrincipals extends UserPrincipalLookupService {
    private static final long MOST = 0xffff_fffeL;

    /** A user id. */
    record User(long id) implements UserPrincipal {
        @Override
        public String getName() {
            return Long.toString(id);
        }
    }

    /** A group id. */
    record Group(long id) implements GroupPrincipal {
        @Override
        public String getName() {
            return Long.toString(id);
        }
    }

    @Override
    public UserPrincipal lookupPrincipalByName(String name) throws IOException {
        return new User(number(name));
    }

    @Override
    public GroupPrincipal lookupPrincipalByGroupName(String group) throws IOException {
        return new Group(number(group));
    }

    static long number(String name) throws UserPrincipalNotFoundException {
        try {
            long number = Long.parseLong(name);
            if (number >= 0 && number <= MOST) {
                return number;
            }
        } catch (NumberFormatException notOne) {
            // Falls through to the refusal.
        }
        throw new UserPrincipalNotFoundException(name);
    }
}

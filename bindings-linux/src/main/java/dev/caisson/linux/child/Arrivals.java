// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Which descriptors travel to a child, and under which numbers they arrive: the lowest free ones, in the order of the message.
 * First comes the child's socket to its launcher, as often as it takes for what follows to miss the numbers that the child's
 * program claims for something else.
 */
final class Arrivals {
    private final List<Integer> sent;
    private final int socket;
    private final Map<Integer, Integer> numbers = new HashMap<>();

    /**
     * @param socket the child's end of the socket to its launcher
     * @param wanted what else is to arrive; one that serves several purposes is sent once
     * @param claimed by the program
     * @throws LinuxException if there are more than one message can carry
     */
    Arrivals(int socket, Iterable<Integer> wanted, Set<Integer> claimed) throws LinuxException {
        var distinct = new LinkedHashSet<Integer>();
        wanted.forEach(distinct::add);
        this.socket = base(1 + distinct.size(), claimed);
        this.sent = new ArrayList<>();
        for (int number = ZygoteProgram.FIRST_ARRIVED; number <= this.socket; number++) {
            sent.add(socket);
        }
        for (int descriptor : distinct) {
            numbers.put(descriptor, ZygoteProgram.FIRST_ARRIVED + sent.size());
            sent.add(descriptor);
        }
    }

    /** {@return the first number from which on so many are free} */
    private static int base(int count, Set<Integer> claimed) throws LinuxException {
        int base = ZygoteProgram.FIRST_ARRIVED;
        for (int number = base; number < base + count; number++) {
            if (claimed.contains(number)) {
                base = number + 1;
            }
        }
        if (base + count > ZygoteProgram.FIRST_ARRIVED + ZygoteProgram.MOST_ARRIVE - 1) {
            throw new LinuxException(
                    Errno.EMFILE,
                    "sendmsg(SCM_RIGHTS) of " + count + " descriptors beside those that the command keeps");
        }
        return base;
    }

    /** {@return the number of the socket in the child} */
    int socket() {
        return socket;
    }

    /** {@return the number in the child of a descriptor of this process} */
    int of(int descriptor) {
        Integer number = numbers.get(descriptor);
        if (number == null) {
            throw new IllegalArgumentException("descriptor " + descriptor + " is not sent");
        }
        return number;
    }

    int of(OptionalInt descriptor) {
        return descriptor.isPresent() ? of(descriptor.getAsInt()) : 0;
    }

    /** Adds one that is for the zygote itself, which closes it. */
    int last(int descriptor) {
        sent.add(descriptor);
        return ZygoteProgram.FIRST_ARRIVED + sent.size() - 1;
    }

    int[] sent() {
        return sent.stream().mapToInt(Integer::intValue).toArray();
    }
}

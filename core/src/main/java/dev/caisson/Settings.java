// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import com.google.errorprone.annotations.CheckReturnValue;
import dev.caisson.launch.ImmutableContainerSpec;
import dev.caisson.spec.InsidePath;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;

/** What every group of settings of {@link ContainerBuilder} shares: the description so far, and how to vary it. */
@CheckReturnValue
abstract class Settings {
    final ImmutableContainerSpec spec;

    Settings(ImmutableContainerSpec spec) {
        this.spec = spec;
    }

    final ContainerBuilder with(UnaryOperator<ImmutableContainerSpec> change) {
        return new ContainerBuilder(change.apply(spec));
    }

    static String noNul(String option, String value) {
        if (value.indexOf('\0') >= 0) {
            throw new IllegalArgumentException(option + ": \"" + value.replace('\0', '\u2400') + "\" holds NUL");
        }
        return value;
    }

    static String inside(String option, String path) {
        return InsidePath.check(option, path);
    }

    static int within(String option, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(option + ": " + value + " is not within " + least + " to " + most);
        }
        return value;
    }

    static <T> List<T> plus(List<T> list, T element) {
        var more = new ArrayList<>(list);
        more.add(element);
        return more;
    }

    static <T> Set<T> plus(Set<T> set, T element) {
        var more = new LinkedHashSet<>(set);
        more.add(element);
        return more;
    }
}

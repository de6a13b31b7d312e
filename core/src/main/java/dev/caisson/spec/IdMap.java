// SPDX-License-Identifier: Apache-2.0
package dev.caisson.spec;

import java.util.List;
import java.util.OptionalLong;

/**
 * How the ids of a user namespace are ids of the host (user_namespaces(7)). Ids inside that no range covers do not exist
 * there; ids of the host that none covers appear as 65534.
 *
 * @param uids at least one range, at most 340
 * @param gids likewise
 */
public record IdMap(List<Range> uids, List<Range> gids) {
    private static final int MOST_RANGES = 340;
    private static final long IDS = 0xffff_ffffL;

    /**
     * Consecutive ids.
     *
     * @param inside the first id in the namespace, 0 to 4294967294
     * @param outside the first id of the host that it stands for
     * @param count how many, at least 1
     */
    public record Range(long inside, long outside, long count) {
        public Range {
            if (inside < 0 || outside < 0 || count < 1 || inside + count > IDS || outside + count > IDS) {
                throw new IllegalArgumentException("id map: the range " + inside + " " + outside + " " + count
                        + " does not lie within 0 to 4294967294");
            }
        }

        boolean overlaps(Range other) {
            return inside < other.inside + other.count && other.inside < inside + count
                    || outside < other.outside + other.count && other.outside < outside + count;
        }

        /** {@return the range as a line of uid_map} */
        @Override
        public String toString() {
            return inside + " " + outside + " " + count;
        }
    }

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if there is no range, too many of them, or two overlap
     */
    public IdMap {
        uids = checked("uids", uids);
        gids = checked("gids", gids);
    }

    private static List<Range> checked(String name, List<Range> ranges) {
        if (ranges.isEmpty() || ranges.size() > MOST_RANGES) {
            throw new IllegalArgumentException(
                    "id map: " + ranges.size() + " ranges of " + name + "; the kernel takes 1 to " + MOST_RANGES);
        }
        for (int i = 0; i < ranges.size(); i++) {
            for (int j = 0; j < i; j++) {
                if (ranges.get(i).overlaps(ranges.get(j))) {
                    throw new IllegalArgumentException("id map: the ranges of " + name + " \"" + ranges.get(j)
                            + "\" and \"" + ranges.get(i) + "\" overlap");
                }
            }
        }
        return List.copyOf(ranges);
    }

    /** {@return a map of one user and one group; all that an ordinary user may write without newuidmap(1)} */
    public static IdMap single(long uidInside, long uidOutside, long gidInside, long gidOutside) {
        return new IdMap(List.of(new Range(uidInside, uidOutside, 1)), List.of(new Range(gidInside, gidOutside, 1)));
    }

    /** {@return a map of {@code count} users and as many groups} */
    public static IdMap range(long inside, long outside, long count) {
        var range = List.of(new Range(inside, outside, count));
        return new IdMap(range, range);
    }

    /** {@return whether one single user and group are mapped} */
    public boolean isSingle() {
        return uids.size() == 1
                && gids.size() == 1
                && uids.get(0).count() == 1
                && gids.get(0).count() == 1;
    }

    /** {@return whether a user id exists inside} */
    public boolean hasUid(long uid) {
        return covers(uids, uid);
    }

    /** {@return whether a group id exists inside} */
    public boolean hasGid(long gid) {
        return covers(gids, gid);
    }

    /** {@return the user id inside that stands for one of the host, if one does} */
    public OptionalLong uidInside(long outside) {
        return inside(uids, outside);
    }

    /** {@return the group id inside that stands for one of the host, if one does} */
    public OptionalLong gidInside(long outside) {
        return inside(gids, outside);
    }

    /** {@return the host's user id that one inside stands for, if it exists} */
    public OptionalLong uidOutside(long inside) {
        return outside(uids, inside);
    }

    /** {@return the host's group id that one inside stands for, if it exists} */
    public OptionalLong gidOutside(long inside) {
        return outside(gids, inside);
    }

    private static OptionalLong inside(List<Range> ranges, long id) {
        for (var range : ranges) {
            if (id >= range.outside() && id < range.outside() + range.count()) {
                return OptionalLong.of(range.inside() + id - range.outside());
            }
        }
        return OptionalLong.empty();
    }

    private static OptionalLong outside(List<Range> ranges, long id) {
        for (var range : ranges) {
            if (id >= range.inside() && id < range.inside() + range.count()) {
                return OptionalLong.of(range.outside() + id - range.inside());
            }
        }
        return OptionalLong.empty();
    }

    private static boolean covers(List<Range> ranges, long id) {
        return outside(ranges, id).isPresent();
    }
}

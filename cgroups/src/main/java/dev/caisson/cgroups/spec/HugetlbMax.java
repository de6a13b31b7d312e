// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

/**
 * Bytes of huge pages of one size (hugetlb.2MB.max; v1 hugetlb.2MB.limit_in_bytes).
 *
 * @param pageBytes a power of two
 * @param reserved whether reservations are limited rather than pages in use (hugetlb.2MB.rsvd.max, Linux 5.7)
 * @param bytes 0 or more
 */
public record HugetlbMax(long pageBytes, boolean reserved, Amount bytes) implements Limit {
    public HugetlbMax {
        if (Long.bitCount(pageBytes) != 1 || pageBytes < 1024) {
            throw new IllegalArgumentException("hugetlbMax: a page of " + pageBytes + " bytes is not a power of two");
        }
        var _ = Check.notNegative("hugetlbMax", bytes);
    }

    /** {@return the size of a page as file names spell it: {@code 64KB}, {@code 2MB}, {@code 1GB}} */
    public String pageSize() {
        if (pageBytes >= 1L << 30) {
            return (pageBytes >> 30) + "GB";
        }
        return pageBytes >= 1L << 20 ? (pageBytes >> 20) + "MB" : (pageBytes >> 10) + "KB";
    }

    @Override
    public String option() {
        return "hugetlbMax";
    }

    @Override
    public String controller() {
        return "hugetlb";
    }

    @Override
    public String subject() {
        return pageSize() + (reserved ? " reserved" : "");
    }
}

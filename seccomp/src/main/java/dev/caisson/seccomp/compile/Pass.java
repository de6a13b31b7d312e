// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.compile;

/** What the compiler does to make programs small and fast. Each can be left out: the program then only grows. */
public enum Pass {
    /** Neighbouring numbers or values with equal outcomes become one interval. */
    MERGE_INTERVALS("interval merging"),
    /** Single numbers inside an interval are tested for equality first, so that the interval is not cut in three. */
    PUNCH_OUT("equality punch-outs"),
    /** A search tree, best for the average of all numbers under a bound of the worst, instead of a chain. */
    BALANCE("balanced search"),
    /** Values that differ in a few bits only become one test of a bit mask. */
    MERGE_MASKS("mask merging"),
    /** Equal tests exist once, whatever system call or architecture leads to them. */
    SHARE("sharing of equal tests"),
    /** x32 uses the search of x86_64 where both agree. */
    SHARE_X32("x32 on the search of x86_64"),
    /** A word that is already in the accumulator is not loaded again; a test whose outcome is known is not made. */
    THREAD_JUMPS("jump threading");

    private final String title;

    Pass(String title) {
        this.title = title;
    }

    /** {@return its name for people} */
    public String title() {
        return title;
    }
}

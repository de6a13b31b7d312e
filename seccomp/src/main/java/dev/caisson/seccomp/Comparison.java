// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

/** How an argument is compared with a value, both as unsigned 64-bit numbers; the seven operators of the OCI specification. */
public enum Comparison {
    NE("!=", "SCMP_CMP_NE"),
    LT("<", "SCMP_CMP_LT"),
    LE("<=", "SCMP_CMP_LE"),
    EQ("==", "SCMP_CMP_EQ"),
    GE(">=", "SCMP_CMP_GE"),
    GT(">", "SCMP_CMP_GT"),
    /** Equal in the bits of a mask. */
    MASKED_EQ("& mask ==", "SCMP_CMP_MASKED_EQ");

    private final String symbol;
    private final String ociName;

    Comparison(String symbol, String ociName) {
        this.symbol = symbol;
        this.ociName = ociName;
    }

    /** {@return the operator as C writes it} */
    public String symbol() {
        return symbol;
    }

    /** {@return the name in OCI and Docker profiles} */
    public String ociName() {
        return ociName;
    }
}

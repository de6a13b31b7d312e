// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux;

import java.io.IOException;

/** This kernel, as it is built and configured, lacks a feature that was asked for. */
public final class UnsupportedKernelException extends IOException {
    private static final long serialVersionUID = 1L;

    private final Feature feature;

    /**
     * @param feature what is missing
     * @param remedy what the caller can do about it, as a sentence without a full stop
     */
    public UnsupportedKernelException(Feature feature, String remedy) {
        super(feature.title() + " is missing (Linux " + feature.since() + " has it): " + remedy);
        this.feature = feature;
    }

    /** {@return what is missing} */
    public Feature feature() {
        return feature;
    }
}

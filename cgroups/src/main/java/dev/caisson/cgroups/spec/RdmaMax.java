// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

/**
 * Resources of an RDMA device (rdma.max).
 *
 * @param device such as {@code mlx5_0}
 * @param handles HCA handles, 0 or more
 * @param objects HCA objects, 0 or more
 */
public record RdmaMax(String device, Amount handles, Amount objects) implements Limit {
    public RdmaMax {
        var _ = Check.word("rdmaMax", device);
        var _ = Check.notNegative("rdmaMax", handles);
        var _ = Check.notNegative("rdmaMax", objects);
    }

    @Override
    public String option() {
        return "rdmaMax";
    }

    @Override
    public String controller() {
        return "rdma";
    }

    @Override
    public String subject() {
        return device;
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.spec;

/** Marks on packets, for the traffic control of the host. Version 1 only. */
public sealed interface NetLimit extends Limit {
    /** The class its packets belong to, for tc(8) (net_cls.classid). 0 to 0xffffffff. */
    record ClassId(long id) implements NetLimit {
        public ClassId {
            var _ = Check.within("netClassId", id, 0, 0xffff_ffffL);
        }

        @Override
        public String option() {
            return "netClassId";
        }

        @Override
        public String controller() {
            return "net_cls";
        }
    }

    /**
     * The priority of its packets on one interface (net_prio.ifpriomap).
     *
     * @param priority 0 or more
     */
    record Priority(String networkInterface, long priority) implements NetLimit {
        public Priority {
            var _ = Check.word("netPriority", networkInterface);
            var _ = Check.within("netPriority", priority, 0, 0xffff_ffffL);
        }

        @Override
        public String option() {
            return "netPriority";
        }

        @Override
        public String controller() {
            return "net_prio";
        }

        @Override
        public String subject() {
            return networkInterface;
        }
    }
}

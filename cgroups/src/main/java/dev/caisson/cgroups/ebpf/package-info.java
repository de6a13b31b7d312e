// SPDX-License-Identifier: Apache-2.0
/** A very small eBPF assembler, and a machine that runs what it makes. Read {@link dev.caisson.cgroups.ebpf.Assembler} first. */
@NullMarked
package dev.caisson.cgroups.ebpf;

import org.jspecify.annotations.NullMarked;

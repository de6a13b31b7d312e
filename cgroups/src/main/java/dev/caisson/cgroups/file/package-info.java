// SPDX-License-Identifier: Apache-2.0
/** Control files: what is written to them, how, and what a refusal means. Read {@link dev.caisson.cgroups.file.Write} first. */
@NullMarked
package dev.caisson.cgroups.file;

import org.jspecify.annotations.NullMarked;

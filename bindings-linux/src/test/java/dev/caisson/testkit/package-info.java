// SPDX-License-Identifier: Apache-2.0
/** What tests of every module share. Read {@link dev.caisson.testkit.NoLeaks} first. */
@NullMarked
package dev.caisson.testkit;

import org.jspecify.annotations.NullMarked;

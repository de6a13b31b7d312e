// SPDX-License-Identifier: Apache-2.0
package dev.caisson.testkit;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import net.jqwik.api.lifecycle.AddLifecycleHook;
import net.jqwik.api.lifecycle.PropagationMode;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@link Needs} of {@link Need#ROOT}, which most tests of real containers have. */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(Needs.Condition.class)
@AddLifecycleHook(value = Needs.Hook.class, propagateTo = PropagationMode.ALL_DESCENDANTS)
public @interface NeedsRoot {}

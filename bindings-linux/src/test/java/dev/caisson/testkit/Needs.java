// SPDX-License-Identifier: Apache-2.0
package dev.caisson.testkit;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import net.jqwik.api.lifecycle.AddLifecycleHook;
import net.jqwik.api.lifecycle.LifecycleContext;
import net.jqwik.api.lifecycle.PropagationMode;
import net.jqwik.api.lifecycle.SkipExecutionHook;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Skips a test, a property or a class of them, with the reason, where the machine does not meet a {@link Need}. */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(Needs.Condition.class)
@AddLifecycleHook(value = Needs.Hook.class, propagateTo = PropagationMode.ALL_DESCENDANTS)
public @interface Needs {
    Need[] value();

    /** Decides for tests of JUnit Jupiter. */
    final class Condition implements ExecutionCondition {
        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            var refusal = Need.refusal(context.getElement());
            refusal.ifPresent(reason -> System.err.println("skipped: " + context.getDisplayName() + " " + reason));
            return refusal.map(ConditionEvaluationResult::disabled)
                    .orElseGet(() -> ConditionEvaluationResult.enabled("all needs are met"));
        }
    }

    /** Decides for properties of jqwik. */
    final class Hook implements SkipExecutionHook {
        @Override
        public SkipResult shouldBeSkipped(LifecycleContext context) {
            var refusal = Need.refusal(context.optionalElement());
            refusal.ifPresent(reason -> System.err.println("skipped: " + context.label() + " " + reason));
            return refusal.map(SkipResult::skip).orElseGet(SkipResult::doNotSkip);
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.testkit;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Skips, with the reason printed, where the tests do not run as root; fails where CI promised root. */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(NeedsRoot.Condition.class)
public @interface NeedsRoot {
    /** Decides. */
    final class Condition implements ExecutionCondition {
        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            if ("root".equals(System.getProperty("user.name"))) {
                return ConditionEvaluationResult.enabled("runs as root");
            }
            if (System.getenv().getOrDefault("CAISSON_REQUIRE", "").contains("root")) {
                throw new IllegalStateException("CAISSON_REQUIRE promises root");
            }
            System.err.println("skipped: " + context.getDisplayName() + " needs root");
            return ConditionEvaluationResult.disabled("needs root");
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.profile;

import dev.caisson.seccomp.Condition;
import dev.caisson.seccomp.Condition.Comparison;
import dev.caisson.seccomp.profile.SeccompProfile.ProfileRule;
import java.io.StringWriter;
import java.math.BigInteger;
import java.util.List;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.PrettyPrinter;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.util.DefaultIndenter;
import tools.jackson.core.util.DefaultPrettyPrinter;

/** Writes a profile; what is absent is left out. */
final class ProfileWriter {
    private final JsonGenerator out;

    private ProfileWriter(JsonGenerator out) {
        this.out = out;
    }

    static String write(SeccompProfile profile) {
        var text = new StringWriter();
        var printer = new DefaultPrettyPrinter().withObjectIndenter(new DefaultIndenter("  ", "\n"));
        var context = new ObjectWriteContext.Base() {
            @Override
            public PrettyPrinter getPrettyPrinter() {
                return printer.createInstance();
            }

            @Override
            public boolean hasPrettyPrinter() {
                return true;
            }
        };
        try (var generator = JsonFactory.builder().build().createGenerator(context, text)) {
            new ProfileWriter(generator).profile(profile);
        }
        return text + "\n";
    }

    private void profile(SeccompProfile profile) {
        var _ = out.writeStartObject();
        var _ = out.writeStringProperty("defaultAction", profile.defaultAction());
        profile.defaultErrnoRet().ifPresent(n -> out.writeNumberProperty("defaultErrnoRet", n));
        strings("architectures", profile.architectures());
        if (!profile.archMap().isEmpty()) {
            var _ = out.writeArrayPropertyStart("archMap");
            profile.archMap().forEach((architecture, subs) -> {
                var _ = out.writeStartObject();
                var _ = out.writeStringProperty("architecture", architecture);
                strings("subArchitectures", subs);
                var _ = out.writeEndObject();
            });
            var _ = out.writeEndArray();
        }
        strings("flags", profile.flags().stream().sorted().map(f -> f.ociName()).toList());
        profile.listenerPath().ifPresent(p -> out.writeStringProperty("listenerPath", p));
        profile.listenerMetadata().ifPresent(m -> out.writeStringProperty("listenerMetadata", m));
        var _ = out.writeArrayPropertyStart("syscalls");
        profile.syscalls().forEach(this::rule);
        var _ = out.writeEndArray();
        var _ = out.writeEndObject();
    }

    private void rule(ProfileRule rule) {
        var _ = out.writeStartObject();
        strings("names", rule.names());
        var _ = out.writeStringProperty("action", rule.action());
        rule.errnoRet().ifPresent(n -> out.writeNumberProperty("errnoRet", n));
        if (!rule.arguments().isEmpty()) {
            var _ = out.writeArrayPropertyStart("args");
            rule.arguments().forEach(this::argument);
            var _ = out.writeEndArray();
        }
        rule.comment().ifPresent(c -> out.writeStringProperty("comment", c));
        selection("includes", rule.includes());
        selection("excludes", rule.excludes());
        var _ = out.writeEndObject();
    }

    private void argument(Condition c) {
        boolean masked = c.comparison() == Comparison.MASKED_EQ;
        var _ = out.writeStartObject();
        var _ = out.writeNumberProperty("index", c.argument());
        var _ = out.writeNumberProperty("value", unsigned(masked ? c.mask() : c.value()));
        if (masked) {
            var _ = out.writeNumberProperty("valueTwo", unsigned(c.value()));
        }
        var _ = out.writeStringProperty("op", c.comparison().ociName());
        var _ = out.writeEndObject();
    }

    private void selection(String field, ProfileRule.Selection selection) {
        if (!selection.isAny()) {
            var _ = out.writeObjectPropertyStart(field);
            strings("caps", selection.capabilities());
            strings("arches", selection.arches());
            selection.minKernel().ifPresent(v -> out.writeStringProperty("minKernel", v.toString()));
            var _ = out.writeEndObject();
        }
    }

    private void strings(String field, List<String> values) {
        if (!values.isEmpty()) {
            var _ = out.writeArrayPropertyStart(field);
            values.forEach(out::writeString);
            var _ = out.writeEndArray();
        }
    }

    private static BigInteger unsigned(long value) {
        return new BigInteger(Long.toUnsignedString(value));
    }
}

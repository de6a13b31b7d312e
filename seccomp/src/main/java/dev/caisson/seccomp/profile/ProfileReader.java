// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.profile;

import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.Condition;
import dev.caisson.seccomp.Condition.Comparison;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.profile.SeccompProfile.ProfileRule;
import dev.caisson.seccomp.profile.SeccompProfile.Target.KernelVersion;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/** Reads a profile token by token, and knows at each the line and the field it is in. */
final class ProfileReader {
    private static final BigInteger MOST = BigInteger.ONE.shiftLeft(Long.SIZE).subtract(BigInteger.ONE);
    private static final int MOST_ERRNO = 4095;
    private static final int MOST_DATA = 0xffff;

    /** Reads one value of an object, by the name of its field. */
    private interface FieldReader {
        boolean read(String field) throws ProfileException;
    }

    private interface ElementReader {
        void read() throws ProfileException;
    }

    private final String json;
    private final List<String> notes = new ArrayList<>();
    private final List<String> path = new ArrayList<>();
    private final JsonParser parser;

    ProfileReader(String json) {
        this.json = json;
        var factory = JsonFactory.builder()
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .build();
        this.parser = factory.createParser(ObjectReadContext.empty(), json);
    }

    /** What a profile is made of, while it is read. */
    private static final class Draft {
        Optional<String> defaultAction = Optional.empty();
        OptionalInt defaultErrnoRet = OptionalInt.empty();
        List<String> architectures = new ArrayList<>();
        Map<String, List<String>> archMap = new LinkedHashMap<>();
        Set<Filter.Flag> flags = new LinkedHashSet<>();
        Optional<String> listenerPath = Optional.empty();
        Optional<String> listenerMetadata = Optional.empty();
        List<ProfileRule> syscalls = new ArrayList<>();
    }

    SeccompProfile read() throws ProfileException {
        var draft = new Draft();
        try (var open = parser) {
            var _ = open.nextToken();
            object(field -> topLevel(draft, field));
            if (open.nextToken() != null) {
                throw wrong("there is more behind the profile's end");
            }
        } catch (JacksonException malformed) {
            var location = malformed.getLocation();
            throw new ProfileException(
                    location == null ? line() : location.getLineNr(),
                    String.join("", path),
                    "malformed JSON: " + malformed.getOriginalMessage());
        }
        if (draft.defaultAction.isEmpty()) {
            throw new ProfileException(1, "defaultAction", "it is missing");
        }
        if (!draft.architectures.isEmpty() && !draft.archMap.isEmpty()) {
            throw new ProfileException(1, "architectures", "it contradicts archMap: leave one of them out");
        }
        return new SeccompProfile(
                draft.defaultAction.get(),
                draft.defaultErrnoRet,
                draft.architectures,
                draft.archMap,
                draft.flags,
                draft.listenerPath,
                draft.listenerMetadata,
                draft.syscalls,
                notes);
    }

    private boolean topLevel(Draft draft, String field) throws ProfileException {
        switch (field) {
            case "defaultAction" -> draft.defaultAction = Optional.of(action());
            case "defaultErrnoRet" -> draft.defaultErrnoRet = errno();
            case "architectures" -> draft.architectures.addAll(strings());
            case "archMap" -> array(() -> archMapEntry(draft));
            case "flags" -> array(() -> draft.flags.add(flag()));
            case "listenerPath" -> draft.listenerPath = optionalText();
            case "listenerMetadata" -> draft.listenerMetadata = optionalText();
            case "syscalls" -> array(() -> draft.syscalls.add(rule()));
            default -> {
                return false;
            }
        }
        return true;
    }

    private void archMapEntry(Draft draft) throws ProfileException {
        var names = new ArrayList<String>();
        var subs = new ArrayList<String>();
        object(field -> {
            switch (field) {
                case "architecture" -> names.add(text());
                case "subArchitectures" -> subs.addAll(strings());
                default -> {
                    return false;
                }
            }
            return true;
        });
        if (names.isEmpty()) {
            throw wrong("architecture is missing");
        }
        draft.archMap.put(names.getFirst(), List.copyOf(subs));
    }

    private Filter.Flag flag() throws ProfileException {
        String name = text();
        for (var flag : Filter.Flag.values()) {
            if (flag.ociName().equals(name)) {
                return flag;
            }
        }
        throw wrong("\"" + name + "\" is not a flag of seccomp(2) such as SECCOMP_FILTER_FLAG_LOG");
    }

    /** An entry of syscalls, while it is read. */
    private static final class RuleDraft {
        List<String> names = new ArrayList<>();
        Optional<String> name = Optional.empty();
        Optional<String> action = Optional.empty();
        OptionalInt errnoRet = OptionalInt.empty();
        List<Condition> arguments = new ArrayList<>();
        Optional<String> comment = Optional.empty();
        ProfileRule.Selection includes = ProfileRule.Selection.ANY;
        ProfileRule.Selection excludes = ProfileRule.Selection.ANY;
    }

    private ProfileRule rule() throws ProfileException {
        int line = line();
        var draft = new RuleDraft();
        object(field -> {
            switch (field) {
                case "names" -> array(() -> draft.names.add(callName()));
                case "name" -> draft.name = Optional.of(callName());
                case "action" -> draft.action = Optional.of(action());
                case "errnoRet" -> draft.errnoRet = errno();
                case "args" -> array(() -> draft.arguments.add(argument()));
                case "comment" -> draft.comment = optionalText();
                case "includes" -> draft.includes = selection();
                case "excludes" -> draft.excludes = selection();
                default -> {
                    return false;
                }
            }
            return true;
        });
        if (draft.name.isPresent() && !draft.names.isEmpty()) {
            throw wrong("name contradicts names: use names");
        }
        draft.name.ifPresent(draft.names::add);
        if (draft.names.isEmpty()) {
            throw new ProfileException(line, String.join("", path) + ".names", "it is missing or empty");
        }
        if (draft.action.isEmpty()) {
            throw new ProfileException(line, String.join("", path) + ".action", "it is missing");
        }
        if (draft.action.get().equals("SCMP_ACT_ERRNO") && draft.errnoRet.orElse(0) > MOST_ERRNO) {
            throw new ProfileException(
                    line, String.join("", path) + ".errnoRet", draft.errnoRet.getAsInt() + " is not within 0 to 4095");
        }
        if (draft.arguments.stream().map(Condition::argument).distinct().count() < draft.arguments.size()) {
            note("an argument is compared more than once, so each comparison alone suffices, as in runc and crun");
        }
        return new ProfileRule(
                line,
                draft.names,
                draft.action.get(),
                draft.errnoRet,
                draft.arguments,
                draft.comment,
                draft.includes,
                draft.excludes);
    }

    private String callName() throws ProfileException {
        String name = text();
        if (Syscall.of(name).isEmpty()) {
            note("\"" + name + "\" is not a system call of x86_64, x86, x32 or aarch64; it is ignored there");
        }
        return name;
    }

    private Condition argument() throws ProfileException {
        int line = line();
        var numbers = new LinkedHashMap<String, Long>();
        var operators = new ArrayList<Comparison>();
        object(field -> {
            switch (field) {
                case "index" -> numbers.put(field, bounded(0, 5));
                case "value", "valueTwo" -> numbers.put(field, unsigned());
                case "op" -> operators.add(operator());
                default -> {
                    return false;
                }
            }
            return true;
        });
        if (operators.isEmpty()) {
            throw new ProfileException(line, String.join("", path) + ".op", "it is missing");
        }
        if (!numbers.containsKey("index")) {
            throw new ProfileException(line, String.join("", path) + ".index", "it is missing");
        }
        int index = (int) (long) numbers.getOrDefault("index", 0L);
        long value = numbers.getOrDefault("value", 0L);
        long second = numbers.getOrDefault("valueTwo", 0L);
        if (operators.getFirst() != Comparison.MASKED_EQ) {
            return new Condition(index, operators.getFirst(), value, -1L);
        }
        if ((second & ~value) != 0) {
            note("valueTwo has bits outside of the mask in value, so the comparison never holds");
        }
        return new Condition(index, Comparison.MASKED_EQ, second, value);
    }

    private Comparison operator() throws ProfileException {
        String name = text();
        for (var comparison : Comparison.values()) {
            if (comparison.ociName().equals(name)) {
                return comparison;
            }
        }
        throw wrong("\"" + name + "\" is not an operator; there are SCMP_CMP_NE, LT, LE, EQ, GE, GT and MASKED_EQ");
    }

    private ProfileRule.Selection selection() throws ProfileException {
        var capabilities = new ArrayList<String>();
        var arches = new ArrayList<String>();
        var kernels = new ArrayList<KernelVersion>();
        object(field -> {
            switch (field) {
                case "caps" -> capabilities.addAll(strings());
                case "arches" -> arches.addAll(strings());
                case "minKernel" -> kernel().ifPresent(kernels::add);
                default -> {
                    return false;
                }
            }
            return true;
        });
        return new ProfileRule.Selection(capabilities, arches, kernels.stream().findFirst());
    }

    private Optional<KernelVersion> kernel() throws ProfileException {
        try {
            return optionalText().filter(t -> !t.isEmpty()).map(KernelVersion::of);
        } catch (IllegalArgumentException none) {
            throw wrong(String.valueOf(none.getMessage()));
        }
    }

    private String action() throws ProfileException {
        String name = text();
        if (ActionName.parse(name, OptionalInt.empty()).isEmpty()) {
            throw wrong("\"" + name
                    + "\" is not an action; there are SCMP_ACT_KILL_PROCESS, KILL_THREAD (or KILL), TRAP, ERRNO,"
                    + " NOTIFY, TRACE, LOG and ALLOW");
        }
        return name;
    }

    private OptionalInt errno() throws ProfileException {
        return parser.currentToken() == JsonToken.VALUE_NULL
                ? OptionalInt.empty()
                : OptionalInt.of((int) bounded(0, MOST_DATA));
    }

    private long bounded(long least, long most) throws ProfileException {
        long value = unsigned();
        if (value < least || value > most) {
            throw wrong(Long.toUnsignedString(value) + " is not within " + least + " to " + most);
        }
        return value;
    }

    private long unsigned() throws ProfileException {
        if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT) {
            throw wrong("a whole number is expected, not " + found());
        }
        var value = parser.getBigIntegerValue();
        if (value.signum() < 0 || value.compareTo(MOST) > 0) {
            throw wrong(value + " is not within 0 to 2^64-1");
        }
        return value.longValue();
    }

    private String text() throws ProfileException {
        if (parser.currentToken() != JsonToken.VALUE_STRING) {
            throw wrong("a text is expected, not " + found());
        }
        return parser.getString();
    }

    private Optional<String> optionalText() throws ProfileException {
        return parser.currentToken() == JsonToken.VALUE_NULL ? Optional.empty() : Optional.of(text());
    }

    private List<String> strings() throws ProfileException {
        var all = new ArrayList<String>();
        array(() -> all.add(text()));
        return all;
    }

    private void array(ElementReader element) throws ProfileException {
        if (parser.currentToken() == JsonToken.VALUE_NULL) {
            return;
        }
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            throw wrong("a list is expected, not " + found());
        }
        for (int i = 0; parser.nextToken() != JsonToken.END_ARRAY; i++) {
            path.add("[" + i + "]");
            element.read();
            path.removeLast();
        }
    }

    private void object(FieldReader reader) throws ProfileException {
        if (parser.currentToken() == JsonToken.VALUE_NULL && !path.isEmpty()) {
            return;
        }
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            throw wrong("an object is expected, not " + found());
        }
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String field = parser.currentName();
            path.add((path.isEmpty() ? "" : ".") + field);
            var _ = parser.nextToken();
            if (!reader.read(field)) {
                note("unknown field; it is ignored");
                var _ = parser.skipChildren();
            }
            path.removeLast();
        }
    }

    private String found() {
        var token = parser.currentToken();
        if (token == null) {
            return "the end";
        }
        return switch (token) {
            case START_OBJECT -> "an object";
            case START_ARRAY -> "a list";
            case VALUE_STRING -> "the text \"" + parser.getString() + "\"";
            default -> parser.getString();
        };
    }

    private int line() {
        return parser.currentTokenLocation().getLineNr();
    }

    private void note(String what) {
        notes.add("line " + line() + ", " + String.join("", path) + ": " + what);
    }

    private ProfileException wrong(String what) {
        return new ProfileException(json.isBlank() ? 1 : line(), String.join("", path), what);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One record of a log. As JSON, byte for byte as Docker's json-file driver writes it; bytes that are not UTF-8 become
 * U+FFFD there. As CRI text, verbatim; P marks a part of a line, F its end.
 */
#include "shim.h"

/* "2026-01-31T23:59:59.123456789Z stdout F ", of which JSON has the first part alone. */
static char stamp_text[48];
static u64 stamp_length, prefix_length;

/* Two digits and what follows. */
static void field(struct text *text, u64 number, const char *after) {
    put_digits(text, number, 2);
    put(text, after);
}

/* The time of day, for what was read now. RFC 3339 with nanoseconds, UTC, without trailing zeros as Go has it. */
void stamp(u32 stream) {
    struct timespec now;
    CALL2(SYS_clock_gettime, CLOCK_REALTIME, &now);
    u64 day = (u64)now.seconds / 86400, second = (u64)now.seconds % 86400;
    /* Howard Hinnant's civil_from_days, for days since 1970: years begin in March. */
    u64 shifted = day + 719468, era = shifted / 146097, of_era = shifted % 146097;
    u64 year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    u64 of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    u64 from_march = (5 * of_year + 2) / 153;
    u64 month = from_march < 10 ? from_march + 3 : from_march - 9;
    struct text text = {stamp_text, stamp_text + sizeof stamp_text};
    put_digits(&text, year_of_era + era * 400 + (month <= 2), 4);
    put(&text, "-");
    field(&text, month, "-");
    field(&text, of_year - (153 * from_march + 2) / 5 + 1, "T");
    field(&text, second / 3600, ":");
    field(&text, second / 60 % 60, ":");
    field(&text, second % 60, ".");
    put_digits(&text, (u64)now.nanos, 9);
    put(&text, "Z");
    stamp_length = (u64)(text.at - stamp_text);
    put(&text, stream ? " stderr F " : " stdout F ");
    prefix_length = (u64)(text.at - stamp_text);
}

static void say(const char *text) {
    write_log(text, length_of(text));
}

/* The bytes of the character that begins here, or 0 if that is not UTF-8. */
static u32 character(const u8 *at, u64 left) {
    u8 first = at[0];
    u32 length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (length > left) {
        return 0;
    }
    for (u32 i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    /* Overlong, a surrogate, or beyond U+10FFFF. */
    if (length > 2
        && ((first == 0xe0 && at[1] < 0xa0) || (first == 0xed && at[1] >= 0xa0) || (first == 0xf0 && at[1] < 0x90)
            || (first == 0xf4 && at[1] >= 0x90))) {
        return 0;
    }
    return length;
}

static void escape_code(u8 byte) {
    static const char digits[] = "0123456789abcdef";
    say("\\u00");
    put_byte(digits[byte >> 4]);
    put_byte(digits[byte & 15]);
}

static int is_plain(u8 byte) {
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\' && byte != '<' && byte != '>' && byte != '&';
}

static void escape(const u8 *at, u64 count) {
    for (u64 i = 0; i < count;) {
        u64 plain = i;
        while (plain < count && is_plain(at[plain])) {
            plain++;
        }
        write_log((const char *)at + i, plain - i);
        i = plain;
        if (i == count) {
            return;
        }
        u8 byte = at[i];
        u32 length = byte < 0x80 ? 1 : character(at + i, count - i);
        if (byte == '"' || byte == '\\') {
            put_byte('\\');
            put_byte((char)byte);
        } else if (byte == '\n') {
            say("\\n");
        } else if (byte == '\r') {
            say("\\r");
        } else if (byte < 0x80) {
            escape_code(byte);
        } else if (length == 0) {
            say("\\ufffd");
            length = 1;
        } else if (length == 3 && byte == 0xe2 && at[i + 1] == 0x80 && (at[i + 2] == 0xa8 || at[i + 2] == 0xa9)) {
            say(at[i + 2] == 0xa8 ? "\\u2028" : "\\u2029");
        } else {
            write_log((const char *)at + i, length);
        }
        i += length;
    }
}

/* A line, with its end if it is whole. */
void put_record(u32 format, u32 stream, const char *line, u64 count, int whole) {
    if (format == FORMAT_JSON) {
        say("{\"log\":\"");
        escape((const u8 *)line, count);
        say(stream ? "\",\"stream\":\"stderr\",\"time\":\"" : "\",\"stream\":\"stdout\",\"time\":\"");
        write_log(stamp_text, stamp_length);
        say("\"}\n");
        return;
    }
    stamp_text[prefix_length - 2] = whole ? 'F' : 'P';
    write_log(stamp_text, prefix_length);
    write_log(line, count);
    if (!whole) {
        put_byte('\n');
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Text into a buffer of fixed size: what does not fit is left out. And what the compiler takes for granted. */
#include "shim.h"

/* From the front, eight bytes at a time: also for a place that overlaps, if it begins before. */
void *memcpy(void *to, const void *from, u64 count) {
    u8 *t = to;
    const u8 *f = from;
    for (; count >= sizeof(word); count -= sizeof(word), t += sizeof(word), f += sizeof(word)) {
        *(word *)t = *(const word *)f;
    }
    while (count--) {
        *t++ = *f++;
    }
    return to;
}

void *memset(void *to, int value, u64 count) {
    u8 *t = to;
    while (count--) {
        *t++ = (u8)value;
    }
    return to;
}

u64 length_of(const char *text) {
    u64 length = 0;
    while (text[length]) {
        length++;
    }
    return length;
}

void put_bytes(struct text *text, const char *bytes, u64 count) {
    while (count-- && text->at < text->end) {
        *text->at++ = *bytes++;
    }
}

void put(struct text *text, const char *string) {
    put_bytes(text, string, length_of(string));
}

/* At least so many digits. */
void put_digits(struct text *text, u64 number, u32 width) {
    char digits[20];
    u32 at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number || sizeof digits - at < width);
    put_bytes(text, digits + at, sizeof digits - at);
}

void put_number(struct text *text, u64 number) {
    put_digits(text, number, 1);
}

/* The number at a place, which moves behind it. */
u64 parse_number(const char **at) {
    u64 number = 0;
    while (**at >= '0' && **at <= '9') {
        number = number * 10 + (u64)(*(*at)++ - '0');
    }
    return number;
}

#pragma once
#include <stddef.h>
#include <stdint.h>

/// Which bytes of a block are what: bit i of each mask is byte i.
typedef struct {
    uint64_t digit;      // 0-9
    uint64_t letter;     // A-Z, a-z
    uint64_t capital;    // A-Z
    uint64_t mark;       // space - . / ( ) _ : what may stand between the digits of one number
    uint64_t word;       // + - . / _ : what letters and digits of one token may have among them
    uint64_t dash;       // -
    uint64_t space;      // space
    uint64_t at;         // @ and %
    uint64_t colon;      // :
    uint64_t backslash;  // \ .
    uint64_t high;       // 0x80 and above
    uint64_t control;    // tab, line feed and what lies between it and carriage return
} ByteClasses;

/// The classes of `count` bytes, 1 to 64; bits above are 0. Reads nothing outside of them.
void tidegate_byte_classes(const uint8_t *_Nonnull bytes, size_t count, ByteClasses *_Nonnull classes);

/// Where a string of JSON may end or holds more than ASCII: quotes, backslashes, control characters, and bytes beyond ASCII.
/// Bit i of `stops[n]` is byte 64 * n + i; bits behind the last byte are 0. Writes a word for each 64 bytes begun.
void tidegate_json_stops(const uint8_t *_Nonnull bytes, size_t count, uint64_t *_Nonnull stops);

/// How many whole blocks of 64 bytes at the beginning hold nothing that a detector could begin with: no digit, `@`, `%`,
/// backslash or byte beyond ASCII, no colon behind a letter or a colon, no two dashes, at most one capital. What may
/// reach over a block's edge counts as found.
size_t tidegate_quiet_blocks(const uint8_t *_Nonnull bytes, size_t count);

/// What each byte stands for in base64, both alphabets; 128 for a byte that is in neither.
extern const uint8_t tidegate_base64_values[256];

/// The three bytes that four characters of base64 stand for, the first one highest; bit 31 is set where these are none.
static inline uint32_t tidegate_base64_three(const uint8_t *_Nonnull text) {
    uint32_t a = tidegate_base64_values[text[0]], b = tidegate_base64_values[text[1]];
    uint32_t c = tidegate_base64_values[text[2]], d = tidegate_base64_values[text[3]];
    return a << 18 | b << 12 | c << 6 | d | (a | b | c | d) >> 7 << 31;
}

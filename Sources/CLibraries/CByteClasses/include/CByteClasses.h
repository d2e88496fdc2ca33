#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/// Which bytes of a block are what: bit i of each mask is byte i.
typedef struct {
    uint64_t digit;      // 0-9
    uint64_t letter;     // A-Z, a-z
    uint64_t mark;       // space - . / ( ) _ : what may stand between the digits of one number
    uint64_t word;       // + - . / _ : what letters and digits of one token may have among them
    uint64_t dash;       // -
    uint64_t space;      // space
    uint64_t at;         // @ and %
    uint64_t colon;      // :
    uint64_t backslash;  // \ .
    uint64_t high;       // 0x80 and above
} ByteClasses;

#if defined(__SSE2__)
static inline __m128i tidegate_between(__m128i v, char low, char span) {
    __m128i d = _mm_sub_epi8(v, _mm_set1_epi8(low));
    return _mm_cmpeq_epi8(_mm_min_epu8(d, _mm_set1_epi8(span)), d);
}

static inline uint64_t tidegate_bits(__m128i v) { return (uint64_t)(uint32_t)_mm_movemask_epi8(v); }

static inline void tidegate_classify16(__m128i v, int shift, ByteClasses *_Nonnull c) {
    __m128i digit = tidegate_between(v, '0', 9);
    __m128i letter = tidegate_between(_mm_or_si128(v, _mm_set1_epi8(0x20)), 'a', 25);
    __m128i dots = tidegate_between(v, '-', 2);
    __m128i brackets = tidegate_between(v, '(', 1);
    __m128i low = _mm_cmpeq_epi8(v, _mm_set1_epi8('_'));
    __m128i space = _mm_cmpeq_epi8(v, _mm_set1_epi8(' '));
    __m128i dash = _mm_cmpeq_epi8(v, _mm_set1_epi8('-'));
    __m128i plus = _mm_cmpeq_epi8(v, _mm_set1_epi8('+'));
    __m128i at =
        _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('@')), _mm_cmpeq_epi8(v, _mm_set1_epi8('%')));
    __m128i word = _mm_or_si128(dots, low);
    c->digit |= tidegate_bits(digit) << shift;
    c->letter |= tidegate_bits(letter) << shift;
    c->mark |= tidegate_bits(_mm_or_si128(_mm_or_si128(word, brackets), space)) << shift;
    c->word |= tidegate_bits(_mm_or_si128(word, plus)) << shift;
    c->dash |= tidegate_bits(dash) << shift;
    c->space |= tidegate_bits(space) << shift;
    c->at |= tidegate_bits(at) << shift;
    c->colon |= tidegate_bits(_mm_cmpeq_epi8(v, _mm_set1_epi8(':'))) << shift;
    c->backslash |= tidegate_bits(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))) << shift;
    c->high |= tidegate_bits(v) << shift;
}
#endif

/// The classes of `count` bytes, 1 to 64; bits above are 0. Reads nothing outside of them.
static inline ByteClasses tidegate_byte_classes(const uint8_t *_Nonnull p, size_t count) {
    ByteClasses c;
    memset(&c, 0, sizeof c);
#if defined(__SSE2__)
    size_t at = 0;
    for (; at + 16 <= count; at += 16)
        tidegate_classify16(_mm_loadu_si128((const __m128i *)(const void *)(p + at)), (int)at, &c);
    size_t rest = count - at;
    if (rest) {
        // The rest in two words that overlap, so that nothing behind it is read.
        uint64_t low = 0, high = 0;
        const uint8_t *q = p + at;
        if (rest >= 8) {
            memcpy(&low, q, 8);
            if (rest > 8) {
                memcpy(&high, q + rest - 8, 8);
                high >>= 8 * (16 - rest);
            }
        } else if (rest >= 4) {
            uint32_t a, b;
            memcpy(&a, q, 4);
            memcpy(&b, q + rest - 4, 4);
            low = (uint64_t)a | (uint64_t)b << (8 * (rest - 4));
        } else {
            low = (uint64_t)q[0] | (uint64_t)q[rest / 2] << (8 * (rest / 2)) | (uint64_t)q[rest - 1] << (8 * (rest - 1));
        }
        tidegate_classify16(_mm_set_epi64x((long long)high, (long long)low), (int)at, &c);
    }
#else
    for (size_t i = 0; i < count; i++) {
        uint8_t b = p[i];
        uint64_t bit = (uint64_t)1 << i;
        if ((uint8_t)(b - '0') <= 9) c.digit |= bit;
        if ((uint8_t)((b | 0x20) - 'a') <= 25) c.letter |= bit;
        if ((b >= '-' && b <= '/') || b == '_') c.mark |= bit, c.word |= bit;
        if (b == '(' || b == ')' || b == ' ') c.mark |= bit;
        if (b == '+') c.word |= bit;
        if (b == '-') c.dash |= bit;
        if (b == ' ') c.space |= bit;
        if (b == '@' || b == '%') c.at |= bit;
        if (b == ':') c.colon |= bit;
        if (b == '\\') c.backslash |= bit;
        if (b & 0x80) c.high |= bit;
    }
#endif
    return c;
}

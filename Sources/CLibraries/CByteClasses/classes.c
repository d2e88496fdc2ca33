#include "CByteClasses.h"
#include <string.h>

static void portable(const uint8_t *p, size_t count, ByteClasses *c) {
    memset(c, 0, sizeof *c);
    for (size_t i = 0; i < count; i++) {
        uint8_t b = p[i];
        uint64_t bit = (uint64_t)1 << i;
        if ((uint8_t)(b - '0') <= 9) c->digit |= bit;
        if ((uint8_t)((b | 0x20) - 'a') <= 25) c->letter |= bit;
        if ((uint8_t)(b - 'A') <= 25) c->capital |= bit;
        if ((b >= '-' && b <= '/') || b == '_') c->mark |= bit, c->word |= bit;
        if (b == '(' || b == ')' || b == ' ') c->mark |= bit;
        if (b == '+') c->word |= bit;
        if (b == '-') c->dash |= bit;
        if (b == ' ') c->space |= bit;
        if (b == '@' || b == '%') c->at |= bit;
        if (b == ':') c->colon |= bit;
        if (b == '\\') c->backslash |= bit;
        if ((uint8_t)(b - 9) <= 4) c->control |= bit;
        if (b & 0x80) c->high |= bit;
    }
}

static uint64_t portable_stops(const uint8_t *p, size_t count) {
    uint64_t stops = 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t b = p[i];
        if (b < 0x20 || b >= 0x80 || b == '"' || b == '\\') stops |= (uint64_t)1 << i;
    }
    return stops;
}

static void portable_all_stops(const uint8_t *p, size_t count, uint64_t *stops) {
    for (; count > 64; count -= 64, p += 64) *stops++ = portable_stops(p, 64);
    if (count > 0) *stops = portable_stops(p, count);
}

static size_t common_quiet(const uint8_t *p, size_t count);

/// What is left of a quiet block's conditions, where there is no digit and the like.
static inline int is_quiet(uint64_t letter, uint64_t capital, uint64_t colon, uint64_t dash) {
    uint64_t linked = colon & ((letter | colon) << 1 | 1);
    uint64_t dashes = dash & (dash << 1 | ((uint64_t)1 << 63 | 1));
    return (linked | dashes | (capital & (capital - 1))) == 0;
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx512f,avx512bw,avx512vl"))) static void wide64(const uint8_t *p, size_t count, ByteClasses *c) {
    __mmask64 here = count >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << count) - 1;
    __m512i v = _mm512_maskz_loadu_epi8(here, p);
#define IS(ch) _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(ch))
#define BETWEEN(x, low, span) \
    _mm512_cmple_epu8_mask(_mm512_sub_epi8(x, _mm512_set1_epi8(low)), _mm512_set1_epi8(span))
    uint64_t dots = BETWEEN(v, '-', 2) | IS('_');
    uint64_t space = IS(' ');
    c->digit = BETWEEN(v, '0', 9);
    c->letter = BETWEEN(_mm512_or_si512(v, _mm512_set1_epi8(0x20)), 'a', 25);
    c->capital = BETWEEN(v, 'A', 25);
    c->mark = dots | space | BETWEEN(v, '(', 1);
    c->word = dots | IS('+');
    c->dash = IS('-');
    c->space = space;
    c->at = IS('@') | IS('%');
    c->colon = IS(':');
    c->backslash = IS('\\');
    c->control = BETWEEN(v, 9, 4);
    c->high = _mm512_movepi8_mask(v);
#undef IS
#undef BETWEEN
}

/// The last bytes of a text, in a block of their own with zeros behind.
__attribute__((target("avx2"))) static inline void rest64(uint8_t *to, const uint8_t *p, size_t count) {
    memset(to, 0, 64);
    memcpy(to, p, count);
}

__attribute__((target("avx2"))) static void wide32(const uint8_t *p, size_t count, ByteClasses *c) {
    uint8_t block[64];
    if (count < 64) {
        rest64(block, p, count);
        p = block;
    }
    __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
#define BITS(x, y) ((uint64_t)(uint32_t)_mm256_movemask_epi8(x) | (uint64_t)(uint32_t)_mm256_movemask_epi8(y) << 32)
#define EQ(x, ch) _mm256_cmpeq_epi8(x, _mm256_set1_epi8(ch))
#define IN(x, low, span)                                                                          \
    _mm256_cmpeq_epi8(                                                                            \
        _mm256_min_epu8(_mm256_sub_epi8(x, _mm256_set1_epi8(low)), _mm256_set1_epi8(span)),       \
        _mm256_sub_epi8(x, _mm256_set1_epi8(low)))
#define BOTH(macro, ...) BITS(macro(a, __VA_ARGS__), macro(b, __VA_ARGS__))
    __m256i small = _mm256_set1_epi8(0x20);
    uint64_t dots = BITS(
        _mm256_or_si256(IN(a, '-', 2), EQ(a, '_')), _mm256_or_si256(IN(b, '-', 2), EQ(b, '_')));
    uint64_t space = BOTH(EQ, ' ');
    c->digit = BOTH(IN, '0', 9);
    c->letter = BITS(IN(_mm256_or_si256(a, small), 'a', 25), IN(_mm256_or_si256(b, small), 'a', 25));
    c->capital = BOTH(IN, 'A', 25);
    c->mark = dots | space | BOTH(IN, '(', 1);
    c->word = dots | BOTH(EQ, '+');
    c->dash = BOTH(EQ, '-');
    c->space = space;
    c->at = BITS(_mm256_or_si256(EQ(a, '@'), EQ(a, '%')), _mm256_or_si256(EQ(b, '@'), EQ(b, '%')));
    c->colon = BOTH(EQ, ':');
    c->backslash = BOTH(EQ, '\\');
    c->control = BOTH(IN, 9, 4);
    c->high = BITS(a, b);
#undef BITS
#undef EQ
#undef IN
#undef BOTH
}

__attribute__((target("avx512f,avx512bw,avx512vl"))) static size_t wide64_quiet(const uint8_t *p, size_t count) {
    size_t blocks = 0;
#define IS(ch) _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(ch))
#define BETWEEN(x, low, span) \
    _mm512_cmple_epu8_mask(_mm512_sub_epi8(x, _mm512_set1_epi8(low)), _mm512_set1_epi8(span))
    for (; count >= 64; count -= 64, p += 64, blocks++) {
        __m512i v = _mm512_loadu_si512(p);
        if (BETWEEN(v, '0', 9) | IS('@') | IS('%') | IS('\\') | _mm512_movepi8_mask(v)) break;
        uint64_t letter = BETWEEN(_mm512_or_si512(v, _mm512_set1_epi8(0x20)), 'a', 25);
        if (!is_quiet(letter, BETWEEN(v, 'A', 25), IS(':'), IS('-'))) break;
    }
#undef IS
#undef BETWEEN
    return blocks;
}

// Below a space as a signed byte is what controls and bytes beyond ASCII are.

__attribute__((target("avx512f,avx512bw,avx512vl"))) static uint64_t wide64_stops(__m512i v) {
    return _mm512_cmplt_epi8_mask(v, _mm512_set1_epi8(0x20)) | _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('"'))
        | _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\\'));
}

__attribute__((target("avx512f,avx512bw,avx512vl"))) static void wide64_all_stops(
    const uint8_t *p, size_t count, uint64_t *stops) {
    for (; count > 64; count -= 64, p += 64) *stops++ = wide64_stops(_mm512_loadu_si512(p));
    if (count == 0) return;
    __mmask64 here = ~(uint64_t)0 >> (64 - count);
    *stops = wide64_stops(_mm512_maskz_loadu_epi8(here, p)) & here;
}

__attribute__((target("avx2"))) static uint32_t wide32_stops(const uint8_t *p) {
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i text = _mm256_or_si256(
        _mm256_cmpeq_epi8(v, _mm256_set1_epi8('"')), _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\')));
    return (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(text, _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), v)));
}

__attribute__((target("avx2"))) static void wide32_all_stops(const uint8_t *p, size_t count, uint64_t *stops) {
    for (; count >= 64; count -= 64, p += 64) *stops++ = wide32_stops(p) | (uint64_t)wide32_stops(p + 32) << 32;
    if (count > 0) *stops = portable_stops(p, count);
}

typedef void FindStops(const uint8_t *, size_t, uint64_t *);
typedef void Classify(const uint8_t *, size_t, ByteClasses *);

static Classify *best(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) return wide64;
    if (__builtin_cpu_supports("avx2")) return wide32;
    return portable;
}

static FindStops *best_stops(void) {
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) return wide64_all_stops;
    if (__builtin_cpu_supports("avx2")) return wide32_all_stops;
    return portable_all_stops;
}

static Classify *chosen;
static int has_wide64;
static FindStops *chosen_stops;

/// Before main: nobody races for it.
__attribute__((constructor)) static void choose(void) {
    chosen = best();
    has_wide64 = chosen == wide64;
    chosen_stops = best_stops();
}

void tidegate_byte_classes(const uint8_t *bytes, size_t count, ByteClasses *classes) {
    chosen(bytes, count, classes);
}

void tidegate_json_stops(const uint8_t *bytes, size_t count, uint64_t *stops) { chosen_stops(bytes, count, stops); }

size_t tidegate_quiet_blocks(const uint8_t *bytes, size_t count) {
    return has_wide64 ? wide64_quiet(bytes, count) : common_quiet(bytes, count);
}
#else
void tidegate_byte_classes(const uint8_t *bytes, size_t count, ByteClasses *classes) {
    portable(bytes, count, classes);
}

void tidegate_json_stops(const uint8_t *bytes, size_t count, uint64_t *stops) {
    portable_all_stops(bytes, count, stops);
}

size_t tidegate_quiet_blocks(const uint8_t *bytes, size_t count) { return common_quiet(bytes, count); }
#endif

static size_t common_quiet(const uint8_t *p, size_t count) {
    size_t blocks = 0;
    for (; count >= 64; count -= 64, p += 64, blocks++) {
        ByteClasses c;
        tidegate_byte_classes(p, 64, &c);
        if (c.digit | c.at | c.backslash | c.high) break;
        if (!is_quiet(c.letter, c.capital, c.colon, c.dash)) break;
    }
    return blocks;
}

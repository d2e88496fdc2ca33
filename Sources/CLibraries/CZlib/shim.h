#pragma once
#include <zlib.h>

static inline int shim_deflateInit2(z_stream *stream, int level, int window_bits) {
    return deflateInit2(stream, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
}
static inline int shim_inflateInit2(z_stream *stream, int window_bits) { return inflateInit2(stream, window_bits); }

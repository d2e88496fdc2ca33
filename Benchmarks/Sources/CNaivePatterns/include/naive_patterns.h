// What a matcher of regular expressions gets through with patterns as one would write them for the built-in detectors.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Compiles the patterns. Returns false where that fails.
bool naive_patterns_prepare(void);
/// How many there are.
size_t naive_patterns_count(void);
/// Matches in one text; every end of a match counts, nothing is checked.
uint64_t naive_patterns_scan(const void *_Nonnull text, size_t count);

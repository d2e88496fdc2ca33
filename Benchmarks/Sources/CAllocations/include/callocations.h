// How often this process has asked for memory: the C library's allocation functions, counted.
#pragma once
#include <stdint.h>

/// Calls of malloc, calloc, realloc and their aligned kin since the start, of all threads.
uint64_t allocations_so_far(void);

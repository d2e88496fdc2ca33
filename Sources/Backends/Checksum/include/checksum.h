#pragma once
#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli), as Kafka's record batches carry it; with the processor's instruction where there is one.
uint32_t tidegate_crc32c(const uint8_t *_Nullable bytes, size_t count);

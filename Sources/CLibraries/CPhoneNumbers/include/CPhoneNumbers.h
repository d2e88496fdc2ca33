#pragma once
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What libphonenumber says of a text. No exception leaves these functions, and nothing is logged.
enum tidegate_phone_verdict {
    TIDEGATE_PHONE_UNKNOWN = -1,  // it failed, for want of memory for instance
    TIDEGATE_PHONE_NO = 0,        // no number, or of a wrong length
    TIDEGATE_PHONE_POSSIBLE = 1,  // of a length that its region has
    TIDEGATE_PHONE_VALID = 2,     // in a range that is assigned there
};

/// Loads what the first questions would load. Returns 0 where that failed.
int tidegate_phone_prepare(void);

/// Judges a number in international form (+...), or as it is dialled in a region.
///
/// first, second: capital letters of a region (ISO 3166-1), or Z and Z for none; then only the international form can
/// be judged.
/// Safe to call from any number of threads.
enum tidegate_phone_verdict tidegate_phone_judge(const char *text, size_t length, char first, char second);

/// 1 where a number is valid, 0 where it is not, -1 where that failed: the same as `tidegate_phone_judge` says, a hundred
/// times as fast where the number is written plainly.
///
/// text: digits, spaces and - . ( ) /, and a + before the first digit of the international form.
int tidegate_phone_is_valid(const char *text, size_t length, char first, char second);

/// As `tidegate_phone_is_valid`, but never asks the library, whose rules take a thousand times as long: 1 where a number is
/// valid or where only the library could tell.
int tidegate_phone_may_be_valid(const char *text, size_t length, char first, char second);

/// Writes the codes of the regions that are known, two letters each without a zero, as many as fit.
///
/// Returns how many there are, or 0 where it failed.
size_t tidegate_phone_regions(char *codes, size_t capacity);

#ifdef __cplusplus
}
#endif

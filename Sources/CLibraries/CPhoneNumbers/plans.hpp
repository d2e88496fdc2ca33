#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "digits.hpp"

namespace tidegate {

enum class Answer { no, yes, ask };

/// The numbering plans of libphonenumber, read into automata: the same answers in nanoseconds, where a number is written
/// plainly. Whatever needs more of libphonenumber's rules is left to it (`ask`).
class Plans {
  public:
    /// Reads the plans that are part of the library.
    Plans();
    ~Plans();

    /// Makes all automata now.
    void prepare();

    /// True where the number, of calling code and national number, is valid.
    Answer international(const uint8_t *digits, size_t count);

    /// The same of a number as it is dialled in a region.
    Answer national(const uint8_t *digits, size_t count, char first, char second);

  private:
    struct Sets;
    struct Region;
    std::vector<std::unique_ptr<Region>> regions;
    /// By calling code: the regions that share it, the main one first; and by letters of the region.
    std::vector<std::vector<Region *>> byCode;
    std::vector<Region *> byName;

    const Sets *sets(Region &region);
    Answer subscriber(unsigned code, const uint8_t *digits, size_t count);
    Answer assigned(unsigned code, const uint8_t *digits, size_t count);
};

}  // namespace tidegate

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tidegate {

/// A set of strings of digits, as a deterministic automaton: what the numbering plans of libphonenumber write as patterns.
///
/// Of the syntax of regular expressions the plans use digits, \d, classes, groups, alternatives, ? and {m,n}; groups that
/// capture are read as groups that do not. Every other pattern throws.
class DigitSet {
  public:
    /// The union of some patterns; empty ones count for nothing.
    explicit DigitSet(const std::vector<std::string> &patterns);

    /// True where all of the digits are in the set. Digits are values, 0 to 9.
    bool holds(const uint8_t *digits, size_t count) const;

    /// True where some beginning of the digits, one at least, is in the set.
    bool beginsWith(const uint8_t *digits, size_t count) const;

  private:
    /// Ten followers for each state, 0 being the state without return; then whether it accepts.
    std::vector<uint16_t> next;
    std::vector<bool> accepts;
    uint16_t start = 0;
};

}  // namespace tidegate

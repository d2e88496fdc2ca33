#include "plans.hpp"

#include <phonenumbers/phonemetadata.pb.h>

#include <algorithm>

namespace i18n {
namespace phonenumbers {
// Exported by the library, declared in a header that it does not install.
int metadata_size();
const void *metadata_get();
}  // namespace phonenumbers
}  // namespace i18n

namespace tidegate {

struct Plans::Sets {
    DigitSet general, assigned, leading;
    /// Null where the pattern says more than digits can.
    std::unique_ptr<DigitSet> nationalPrefix, internationalPrefix;
};

namespace {

std::unique_ptr<DigitSet> readable(const std::string &pattern) {
    try {
        return std::make_unique<DigitSet>(std::vector<std::string>{pattern});
    } catch (const std::exception &) {
        return nullptr;
    }
}

}  // namespace

struct Plans::Region {
    unsigned code = 0;
    std::string general, leading, nationalPrefix, internationalPrefix;
    std::vector<std::string> kinds;
    /// The prefix is only taken away.
    bool hasPlainPrefix = false;
    std::once_flag once;
    std::unique_ptr<Sets> sets;
};

Plans::Plans() : byCode(1000), byName(26 * 26) {
    using namespace i18n::phonenumbers;
    PhoneMetadataCollection collection;
    if (!collection.ParseFromArray(metadata_get(), metadata_size())) return;
    for (const PhoneMetadata &plan : collection.metadata()) {
        if (plan.country_code() <= 0 || plan.country_code() >= 1000) continue;
        auto region = std::make_unique<Region>();
        region->code = unsigned(plan.country_code());
        region->general = plan.general_desc().national_number_pattern();
        region->leading = plan.leading_digits();
        region->nationalPrefix = plan.national_prefix_for_parsing();
        region->internationalPrefix = plan.international_prefix();
        const std::string &prefix = region->nationalPrefix;
        region->hasPlainPrefix = plan.national_prefix_transform_rule().empty() && !prefix.empty() &&
                                 std::all_of(prefix.begin(), prefix.end(), [](char c) { return c >= '0' && c <= '9'; });
        for (const PhoneNumberDesc *kind :
             {&plan.fixed_line(), &plan.mobile(), &plan.toll_free(), &plan.premium_rate(), &plan.shared_cost(),
              &plan.personal_number(), &plan.voip(), &plan.pager(), &plan.uan(), &plan.voicemail()}) {
            if (kind->national_number_pattern() != "NA") region->kinds.push_back(kind->national_number_pattern());
        }
        auto &shared = byCode[region->code];
        shared.insert(plan.main_country_for_code() ? shared.begin() : shared.end(), region.get());
        const std::string &name = plan.id();
        if (name.size() == 2 && name[0] >= 'A' && name[0] <= 'Z' && name[1] >= 'A' && name[1] <= 'Z') {
            byName[size_t(name[0] - 'A') * 26 + size_t(name[1] - 'A')] = region.get();
        }
        regions.push_back(std::move(region));
    }
}

Plans::~Plans() = default;

void Plans::prepare() {
    for (auto &region : regions) sets(*region);
}

/// Made when first asked for: a millisecond or a few. Null where a pattern is not of digits alone.
const Plans::Sets *Plans::sets(Region &region) {
    std::call_once(region.once, [&] {
        try {
            region.sets.reset(new Sets{DigitSet({region.general}), DigitSet(region.kinds), DigitSet({region.leading}),
                                       readable(region.nationalPrefix), readable(region.internationalPrefix)});
        } catch (const std::exception &) {
            region.sets.reset();
        }
    });
    return region.sets.get();
}

/// As libphonenumber decides: of several regions the first whose leading digits, or else one of whose kinds, match.
Answer Plans::assigned(unsigned code, const uint8_t *digits, size_t count) {
    for (Region *region : byCode[code]) {
        const Sets *known = sets(*region);
        if (!known) return Answer::ask;
        const bool isAssigned = known->general.holds(digits, count) && known->assigned.holds(digits, count);
        if (isAssigned && (region->leading.empty() || byCode[code].size() == 1)) return Answer::yes;
        if (!region->leading.empty() && known->leading.beginsWith(digits, count)) {
            return isAssigned ? Answer::yes : Answer::no;
        }
    }
    return Answer::no;
}

/// What follows a calling code.
Answer Plans::subscriber(unsigned code, const uint8_t *digits, size_t count) {
    if (byCode[code].empty() || count < 2 || count > 17) return Answer::ask;
    const Sets *main = sets(*byCode[code].front());
    if (!main || !main->nationalPrefix) return Answer::ask;
    if (main->nationalPrefix->beginsWith(digits, count)) {  // +44 (0)20
        const Region &region = *byCode[code].front();
        const size_t prefix = region.nationalPrefix.size();
        if (!region.hasPlainPrefix) return Answer::ask;
        const Answer rest = assigned(code, digits + prefix, count - prefix);
        if (main->general.holds(digits + prefix, count - prefix)) return rest;
        // Whether libphonenumber takes the prefix away or not: where neither is assigned, nothing is.
        return rest == Answer::no && assigned(code, digits, count) == Answer::no ? Answer::no : Answer::ask;
    }
    return assigned(code, digits, count);
}

Answer Plans::international(const uint8_t *digits, size_t count) {
    unsigned code = 0;
    for (size_t length = 1; length <= 3 && length < count; length++) {
        code = code * 10 + digits[length - 1];
        if (code == 0) return Answer::no;
        if (!byCode[code].empty()) return subscriber(code, digits + length, count - length);
    }
    return count > 3 ? Answer::no : Answer::ask;
}

Answer Plans::national(const uint8_t *digits, size_t count, char first, char second) {
    if (first < 'A' || first > 'Z' || second < 'A' || second > 'Z' || count < 2 || count > 17) return Answer::ask;
    Region *const region = byName[size_t(first - 'A') * 26 + size_t(second - 'A')];
    if (!region) return Answer::ask;
    const Sets *known = sets(*region);
    if (!known || !known->nationalPrefix || !known->internationalPrefix) return Answer::ask;
    if (known->internationalPrefix->beginsWith(digits, count)) return Answer::ask;
    const bool isWhole = known->general.holds(digits, count);

    // A calling code without its plus.
    const unsigned code = region->code;
    const size_t length = code < 10 ? 1 : code < 100 ? 2 : 3;
    unsigned head = 0;
    for (size_t index = 0; index < length && index < count; index++) head = head * 10 + digits[index];
    if (!isWhole && count > length && head == code) {
        const uint8_t *rest = digits + length;
        if (known->nationalPrefix->beginsWith(rest, count - length)) return Answer::ask;
        if (known->general.holds(rest, count - length)) return subscriber(code, rest, count - length);
        // Whichever of these libphonenumber would take, if none is assigned nothing is.
        const bool hasPrefix = known->nationalPrefix->beginsWith(digits, count);
        const size_t prefix = hasPrefix ? region->nationalPrefix.size() : 0;
        if (hasPrefix && !region->hasPlainPrefix) return Answer::ask;
        const bool isNone = assigned(code, digits, count) == Answer::no &&
                            assigned(code, rest, count - length) == Answer::no &&
                            assigned(code, digits + prefix, count - prefix) == Answer::no;
        return isNone ? Answer::no : Answer::ask;
    }
    if (known->nationalPrefix->beginsWith(digits, count)) {
        if (!region->hasPlainPrefix) return Answer::ask;
        const size_t prefix = region->nationalPrefix.size();
        if (known->general.holds(digits + prefix, count - prefix)) return assigned(code, digits + prefix, count - prefix);
        if (!isWhole) return byCode[code].size() == 1 ? Answer::no : Answer::ask;
    }
    return assigned(code, digits, count);
}

}  // namespace tidegate

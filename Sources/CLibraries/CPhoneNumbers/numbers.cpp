#include "CPhoneNumbers.h"

#include <phonenumbers/logger.h>
#include <phonenumbers/phonenumber.pb.h>
#include <phonenumbers/phonenumberutil.h>

#include <set>
#include <string>

using i18n::phonenumbers::Logger;
using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

namespace {

// What it would say could hold numbers.
class Silence : public Logger {
  public:
    void WriteMessage(const std::string &) override {}
};

const PhoneNumberUtil &library() {
    static const PhoneNumberUtil &made = [&]() -> const PhoneNumberUtil & {
        const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
        Logger::set_logger_impl(new Silence);  // for as long as the process lives
        return util;
    }();
    return made;
}

}  // namespace

enum tidegate_phone_verdict tidegate_phone_judge(const char *text, size_t length, char first, char second) {
    try {
        const PhoneNumberUtil &util = library();
        PhoneNumber number;
        const std::string region = {first, second};
        if (util.Parse(std::string(text, length), region, &number) != PhoneNumberUtil::NO_PARSING_ERROR) {
            return TIDEGATE_PHONE_NO;
        }
        if (util.IsValidNumber(number)) return TIDEGATE_PHONE_VALID;
        return util.IsPossibleNumber(number) ? TIDEGATE_PHONE_POSSIBLE : TIDEGATE_PHONE_NO;
    } catch (...) {
        return TIDEGATE_PHONE_UNKNOWN;
    }
}

size_t tidegate_phone_regions(char *codes, size_t capacity) {
    try {
        std::set<std::string> regions;
        library().GetSupportedRegions(&regions);
        size_t at = 0;
        size_t count = 0;
        for (const std::string &region : regions) {
            if (region.size() != 2) continue;
            count += 1;
            if (capacity - at < 2) continue;
            codes[at++] = region[0];
            codes[at++] = region[1];
        }
        return count;
    } catch (...) {
        return 0;
    }
}

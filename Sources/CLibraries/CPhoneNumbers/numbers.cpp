#include "CPhoneNumbers.h"

#include <phonenumbers/logger.h>
#include <phonenumbers/phonenumber.pb.h>
#include <phonenumbers/phonenumberutil.h>

#include <set>
#include <string>

#include "plans.hpp"

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

tidegate::Plans &ours() {
    static tidegate::Plans plans;
    return plans;
}

/// What the automata say. Throws where there is no memory for them.
tidegate::Answer plain(const char *text, size_t length, char first, char second) {
    uint8_t digits[40];
    size_t count = 0;
    bool isInternational = false;
    for (size_t index = 0; index < length; index++) {
        const char c = text[index];
        if (c >= '0' && c <= '9') {
            if (count == sizeof digits) return tidegate::Answer::ask;
            digits[count++] = uint8_t(c - '0');
        } else if (c == '+') {
            if (index > 0) return tidegate::Answer::ask;
            isInternational = true;
        }
    }
    return isInternational ? ours().international(digits, count) : ours().national(digits, count, first, second);
}

}  // namespace

int tidegate_phone_prepare(void) {
    try {
        library();
        ours().prepare();
        return 1;
    } catch (...) {
        return 0;
    }
}

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

int tidegate_phone_is_valid(const char *text, size_t length, char first, char second) {
    try {
        const tidegate::Answer answer = plain(text, length, first, second);
        if (answer != tidegate::Answer::ask) return answer == tidegate::Answer::yes;
    } catch (...) {
        return -1;
    }
    const enum tidegate_phone_verdict verdict = tidegate_phone_judge(text, length, first, second);
    return verdict == TIDEGATE_PHONE_UNKNOWN ? -1 : verdict == TIDEGATE_PHONE_VALID;
}

int tidegate_phone_may_be_valid(const char *text, size_t length, char first, char second) {
    try {
        return plain(text, length, first, second) != tidegate::Answer::no;
    } catch (...) {
        return 1;
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

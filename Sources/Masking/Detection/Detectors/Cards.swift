/// Where the numbers of payment cards begin (ISO/IEC 7812-1 and what the schemes publish), and how long they are.
enum CardIssuers {
    /// True where a number of `length` digits that begins with the six digits `prefix` may be some scheme's.
    static func issue(_ prefix: Int, length: Int) -> Bool {
        let four = prefix / 100
        let two = prefix / 10_000
        switch length {
        case 16:
            switch two {
            case 40...49, 51...55, 60, 62, 64, 65, 81, 82: return two != 60 || isSixty(four)
            case 35: return true  // JCB has 3528 to 3589; generators of test numbers use all of them
            case 36, 38, 39, 30: return two != 30 || isDiners(four)
            case 22...27: return (four >= 2221 && four <= 2720) || isMir(four)  // Mastercard's second series
            case 20: return isMir(four)
            case 50, 56, 57, 58, 63, 67, 61, 66, 68, 69: return isMaestro(two, four) || four == 5081 || four == 5085
            case 97: return four == 9792
            default: return false
            }
        case 15: return two == 34 || two == 37 || four == 2131 || four == 1800
        case 14: return two == 36 || two == 38 || two == 39 || isDiners(four)
        case 13: return two / 10 == 4 || isMaestro(two, four)
        case 19:
            return two / 10 == 4 || two == 62 || isMaestro(two, four) || four == 6011 || two == 64 || two == 65
                || two == 36 || two == 38 || two == 39 || isDiners(four) || (four >= 3528 && four <= 3589)
                || isMir(four)
        case 17, 18:
            return two == 62 || isMaestro(two, four) || four == 6011 || two == 64 || two == 65 || isMir(four)
                || (four >= 3528 && four <= 3589)
        case 12: return isMaestro(two, four)
        default: return false
        }
    }

    private static func isDiners(_ four: Int) -> Bool { (four >= 3000 && four <= 3059) || four == 3095 }
    private static func isMir(_ four: Int) -> Bool { four >= 2200 && four <= 2205 }
    /// 601 is Discover's only with 6011.
    private static func isSixty(_ four: Int) -> Bool { four == 6011 || four / 10 != 601 }
    private static func isMaestro(_ two: Int, _ four: Int) -> Bool {
        switch four {
        case 5018, 5020, 5038, 5019, 5061, 5060, 5078, 5893, 6304, 6390, 6331, 6333, 6370, 6371, 6759, 6761, 6762, 6763,
            6767, 6768, 6799, 6709, 6771, 604:
            return true
        default: return two >= 56 && two <= 58
        }
    }
}

extension DetectorSet {
    /// A payment card's number: 12 to 19 digits that pass Luhn, and an issuer's beginning or words that announce one.
    func examineCard(_ text: TextBytes, _ window: NumberWindow, _ pass: inout DetectionPass) {
        guard enabled.has(.creditCard), window.marks <= 3, !window.hasBracket,
            text[window.start &- 1] != UInt8(ascii: "+"),
            window.isOnes || window.last &- window.group < 6,
            pass.accepts(.luhn, window)
        else { return }
        var prefix = 0
        var isOneDigit = true
        for index in window.first..<(window.first &+ 6) { prefix = prefix &* 10 &+ pass.run.digit(index) }
        for index in window.first..<(window.first &+ window.length)
        where pass.run[index] != pass.run[window.first] { isOneDigit = false }
        if isOneDigit || text.isInUUID(window.start, window.end) { return }
        let isIssued = CardIssuers.issue(prefix, length: window.length)
        let isUsual = window.isBare || window.isOnes || isUsualGrouping(window.shape)
        let mayBeFree =
            isIssued && isUsual && (window.isBare || !text.goesOn(window))
            && (window.shape != 0x444 || !isInRow(text, window))
        if pass.isAssuming || pass.name.contains(Context(.creditCard)) {
            pass.add(.creditCard, window.start, window.end, isIssued ? 99 : 80)
            return
        }
        if window.isBare, isTime(prefix, window.length) { return }
        if mayBeFree {
            // Of 15 and 16 digits one in ten passes Luhn, and a quarter of these an issuer's range: only the word for a
            // number of another kind is believed more than that. RuPay's 81 and 82 are hardly issued.
            let isLikely = (window.length == 15 || window.length == 16) && prefix < 800_000
            let isOther = window.isBare && pass.contradicts(text, window.start, by: isLikely ? .otherNumber : .against)
            if isOther { return }
            pass.add(.creditCard, window.start, window.end, 90)
        } else if isUsual || (isIssued && window.mark != 255),
            pass.announces(.creditCard, text, window.start, window.end)
        {
            pass.add(.creditCard, window.start, window.end, isIssued ? 95 : 75)
        }
    }

    /// Milliseconds, microseconds or nanoseconds since 1970, from 2001 to 2036.
    private func isTime(_ prefix: Int, _ length: Int) -> Bool {
        (length == 13 || length == 16 || length == 19) && prefix >= 100_000 && prefix < 210_000
    }

    private func isUsualGrouping(_ shape: UInt64) -> Bool {
        switch shape {
        case 0x4444, 0x465, 0x464, 0x444, 0x4441, 0x4442, 0x4443, 0x44443, 0x44441, 0x44442, 0x4333, 0x446, 0x4466,
            0x4456,
            0x6f, 0x664, 0x66f, 0x4345:
            true
        default: false
        }
    }
}

/// The calling codes of ITU-T E.164 and how many digits follow them.
struct CallingCodes: Sendable {
    static let shared = CallingCodes()
    /// By code: bit n is set where n digits may follow.
    private let lengths: [UInt16]

    /// Asks libphonenumber once what lengths each code has.
    private init() {
        var lengths = [UInt16](repeating: 0, count: 1000)
        // One and two digits; all others of E.164 have three.
        let short = [
            1, 7, 20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56, 57,
            58,
            60, 61, 62, 63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
        ]
        let decades = [21, 22, 23, 24, 25, 26, 29, 35, 37, 38, 42, 50, 59, 67, 68, 69, 80, 85, 87, 88, 96, 97, 99]
        for code in short + decades.flatMap({ decade in (0..<10).map { decade * 10 + $0 } }) {
            for count in 4...12 where CallingCodes.isPossible(code, count) { lengths[code] |= 1 << UInt16(count) }
        }
        self.lengths = lengths
    }

    private static func isPossible(_ code: Int, _ count: Int) -> Bool {
        for digit in [UInt8(ascii: "2"), UInt8(ascii: "6")] {
            let text = Array("+\(code)".utf8) + [UInt8](repeating: digit, count: count)
            if unsafe PhoneNumbers.isPossible(text.span.bytes) { return true }
        }
        return false
    }

    /// True where the digits `first` up to `first + count`, without the one at `skipped`, may be an international number.
    func mayBe(_ run: borrowing CharacterRun, _ first: Int, _ count: Int, without skipped: Int) -> Bool {
        var code = 0
        var taken = 0
        var at = first
        while taken < 3, at < first &+ count {
            if at != skipped {
                code = code &* 10 &+ run.digit(at)
                taken &+= 1
                let total = skipped >= first && skipped < first &+ count ? count &- 1 : count
                let bits = code < 1000 ? lengths[code] : 0
                let left = total &- taken
                if bits != 0 { return left > 0 && left < 16 && bits >> UInt16(left) & 1 != 0 }
                if code == 0 { return false }
            }
            at &+= 1
        }
        return false
    }
}

extension DetectorSet {
    /// Telephone numbers that begin with `group`: international ones, national ones in usual groups, and, where they are
    /// announced, what has 7 to 15 digits.
    ///
    /// - Returns: the group behind a sure one, or `group`.
    func examinePhone(_ text: TextBytes, _ group: Int, _ pass: inout DetectionPass) -> Int {
        let first = pass.run.first(group)
        let firstLength = Int(pass.run.group(group).limit) &- first
        if pass.run.lettersIn(first, firstLength) != 0 { return group }
        let start = pass.run.group(group).start
        let before = text[start &- 1]
        if before == UInt8(ascii: "+") || (before == UInt8(ascii: "(") && text[start &- 2] == UInt8(ascii: "+")) {
            return examineInternational(text, group, start &- (before == UInt8(ascii: "+") ? 1 : 2), &pass)
        }
        if before == UInt8(ascii: ":") && text.isDigit(start &- 2) { return group }
        var window = NumberWindow(pass.run, group)
        var announced = -1
        var announcedLast = group
        var best = -1
        var bestLast = group
        var confidence = 0
        var isAnnounced = false
        var isAsked = false
        var isBracketed = false
        let hasName = pass.isAssuming || pass.name.contains(Context(.phone))
        for last in group..<min(pass.run.groupCount, group &+ 8) {
            if pass.run.group(last).isExtension && last > group { break }
            window.extend(pass.run, to: last)
            if window.length > 15 { break }
            if pass.run.lettersIn(window.first, window.length) != 0 { break }
            if window.length < 7 || window.marks > 3 || (window.isBare && text.isDecimal(window)) { continue }
            let usual = usualForm(text, window, &pass)
            if usual > confidence, !text.goesOn(window), !text.isInUUID(window.start, window.end) {
                best = window.end
                bestLast = last
                isBracketed = window.hasBracket
                confidence = usual
            }
            if confidence >= 80, !hasName { continue }
            if isAsked ? isAnnounced : true, mayBeAnnounced(text, window, &pass) {
                if !isAsked {
                    isAsked = true
                    isAnnounced = pass.announces(.phone, text, window.start, window.end)
                }
                if isAnnounced {
                    announced = window.end
                    announcedLast = last
                    isBracketed = window.hasBracket
                }
            }
        }
        let open = before == UInt8(ascii: "(") && isBracketed ? start &- 1 : start
        if announced > best, confidence < 80 || hasName {
            pass.add(.phone, open, extended(text, announced), 90)
            return hasName ? announcedLast &+ 1 : group
        } else if best > 0, isAnnounced || confidence >= 90 || !pass.contradicts(text, start) {
            pass.add(.phone, open, extended(text, best), isAnnounced ? 95 : confidence)
            return confidence >= 80 ? bestLast &+ 1 : group
        }
        return group
    }

    private func examineInternational(_ text: TextBytes, _ group: Int, _ start: Int, _ pass: inout DetectionPass) -> Int
    {
        var window = NumberWindow(pass.run, group)
        var end = -1
        var next = group
        var skipped = -1
        if !pass.isAssuming, text.isAlphanumeric(start &- 1) { return group }
        for last in group..<min(pass.run.groupCount, group &+ 16) {
            if pass.run.group(last).isExtension && last > group { break }
            window.extend(pass.run, to: last)
            if window.length > 16 || pass.run.lettersIn(window.first, window.length) != 0 { break }
            let bytes = pass.run.group(last)
            // "+44 (0)20": the national prefix, which is not dialled.
            if last > group, skipped < 0, bytes.end &- bytes.start == 1, text[bytes.start] == UInt8(ascii: "0"),
                text[bytes.start &- 1] == UInt8(ascii: "("), text[bytes.end] == UInt8(ascii: ")")
            {
                skipped = pass.run.first(last)
            }
            if window.length >= 7, CallingCodes.shared.mayBe(pass.run, window.first, window.length, without: skipped),
                pass.isAssuming || pass.run.mayBeDialled(window.first, window.length, without: skipped)
                    || pass.announces(.phone, text, window.start, window.end)
            {
                end = window.end
                next = last &+ 1
            }
        }
        if end > 0 { pass.add(.phone, start, extended(text, end), 92) }
        return next
    }

    /// How sure it is that the window is a telephone number as its country writes them; 0 where it is none.
    private func usualForm(_ text: TextBytes, _ window: NumberWindow, _ pass: inout DetectionPass) -> Int {
        let run = window.first
        let leading = pass.run.digit(run)
        let isOpen = window.hasBracket && text[window.start &- 1] == UInt8(ascii: "(")
        switch window.shape {
        case 0x334, 0x37, 0x1334, 0x3334, 0x137:
            // North America: area and office begin with 2 to 9; "1" or "001" before them.
            let skip = window.shape == 0x1334 || window.shape == 0x137 ? 1 : window.shape == 0x3334 ? 3 : 0
            if skip == 1, leading != 1 { break }
            if skip == 3, leading != 0 || pass.run.digit(run &+ 1) != 0 || pass.run.digit(run &+ 2) != 1 { break }
            if window.shape & 0xff == 0x37, !isOpen, !window.hasBracket { break }
            if pass.run.digit(run &+ skip) < 2 || pass.run.digit(run &+ skip &+ 3) < 2 { break }
            if isOpen || window.hasBracket || skip > 0 { return 90 }
            let isSpaced = window.has(UInt8(ascii: " "))
            if isSpaced && isInRow(text, window) || !isDialled(window, PhonePlans.northAmerica, &pass) { return 0 }
            return isSpaced ? 65 : 80
        case 0x254, 0x244:
            if isOpen { return 85 }  // Brazil: area, then four or five digits, a dash and four more
            if leading != 0, text[window.end &- 5] == UInt8(ascii: "-"), text[window.start &+ 2] == UInt8(ascii: " ") {
                return isDialled(window, PhonePlans.brazil, &pass) ? 65 : 0
            }
        case 0x55:
            if leading >= 6, window.has(UInt8(ascii: " ")) || window.has(UInt8(ascii: "-")), !isInRow(text, window) {
                return isDialled(window, PhonePlans.india, &pass) ? 60 : 0
            }
        case 0x344:
            if leading == 1, pass.run.digit(run &+ 1) >= 3, !isInRow(text, window) {
                return isDialled(window, PhonePlans.china, &pass) ? 70 : 0
            }
        default: break
        }
        guard leading == 0, !window.isBare, window.length >= 9 else { return 0 }
        if pass.run.digit(run &+ 1) == 0 {
            // The international prefix of most countries.
            let isPossible = CallingCodes.shared.mayBe(pass.run, run &+ 2, window.length &- 2, without: -1)
            guard isPossible, window.length >= 11 else { return 0 }
            return pass.isAssuming || pass.run.mayBeDialled(run &+ 2, window.length &- 2) ? 75 : 0
        }
        if window.length > 12 { return 0 }
        switch window.shape {
        case 0x22222, 0x244, 0x344, 0x434, 0x533, 0x56, 0x433, 0x46, 0x47, 0x48, 0x38, 0x37, 0x28, 0x36, 0x57, 0x55,
            0x334,
            0x4322, 0x3322, 0x3332, 0x3422, 0x4222, 0x343, 0x443, 0x437, 0x542, 0x45, 0x4333, 0x324, 0x3323, 0x2322:
            return isDialled(window, PhonePlans.zero, &pass) ? (isOpen || window.hasBracket ? 80 : 65) : 0
        default: return isOpen && isDialled(window, PhonePlans.zero, &pass) ? 70 : 0
        }
    }

    private func isDialled(_ window: NumberWindow, _ regions: [PhoneRegion], _ pass: inout DetectionPass) -> Bool {
        pass.isAssuming || pass.run.mayBeDialled(window.first, window.length, in: regions)
    }

    /// True where spaces part the window from digits on either side: numbers in a row.
    func isInRow(_ text: TextBytes, _ window: NumberWindow) -> Bool {
        var at = window.start &- 1
        while text[at] == UInt8(ascii: " ") { at &-= 1 }
        if text.isDigit(at) { return true }
        at = window.end
        while text[at] == UInt8(ascii: " ") { at &+= 1 }
        return text.isDigit(at)
    }

    /// True where the window may be the number that a name or words announce: no date, no time since 1970.
    private func mayBeAnnounced(_ text: TextBytes, _ window: NumberWindow, _ pass: inout DetectionPass) -> Bool {
        if pass.isAssuming || pass.name.contains(Context(.phone)) { return true }
        switch window.shape {
        case 0x422, 0x224, 0x4222, 0x42222, 0x324, 0x222: return false
        case 0x444: if isInRow(text, window) { return false }
        default: break
        }
        // An amount, a time.
        if window.last == window.group &+ 1, window.has(UInt8(ascii: ".")), window.shape & 0xf <= 2 { return false }
        if text[window.end] == UInt8(ascii: ":"), text.isDigit(window.end &+ 1) { return false }
        if window.isBare {
            let first = pass.run.digit(window.first) &* 10 &+ pass.run.digit(window.first &+ 1)
            if window.length == 14, first == 19 || first == 20 { return false }
            if window.length == 8 || ((window.length == 13 || window.length == 10) && (first == 16 || first == 17)) {
                return false
            }
        }
        return !text.isTied(window)
    }

    /// Behind an extension that follows: "x12", "ext. 12", "#12".
    private func extended(_ text: TextBytes, _ end: Int) -> Int {
        var at = end
        while text[at] == UInt8(ascii: " ") || text[at] == UInt8(ascii: ",") { at &+= 1 }
        if at > end &+ 2 { return end }
        if text.has("EXT", at: at) {
            at &+= 3
            if text.has("ENSION", at: at) { at &+= 6 }
            if text[at] == UInt8(ascii: ".") { at &+= 1 }
        } else if text[at] | 0x20 == UInt8(ascii: "x") || text[at] == UInt8(ascii: "#") {
            at &+= 1
        } else {
            return end
        }
        if text[at] == UInt8(ascii: " ") { at &+= 1 }
        let digits = at
        while text.isDigit(at) { at &+= 1 }
        return at > digits && at &- digits <= 6 && !text.isAlphanumeric(at) ? at : end
    }
}

extension DetectorSet {
    /// A date in figures that begins with `group`: of birth only where that is announced.
    ///
    /// - Returns: true where it is a date, of whatever.
    func examineDate(_ text: TextBytes, _ group: Int, _ pass: inout DetectionPass) -> Bool {
        let first = pass.run.group(group)
        let start = first.start
        let size = first.end &- start
        var end = first.end
        /// Two figures for the year, or spaces, may be anything.
        var isCertain = true
        if size == 8 {
            let year = number(text, start, 4)
            guard isDate(year, number(text, start &+ 4, 2), number(text, start &+ 6, 2)), !text.isAlphanumeric(end)
            else {
                return false
            }
            guard
                pass.isAssuming || pass.name.contains(Context(.dateOfBirth))
                    || text.meaningDirectlyBefore(start).contains(Context(.dateOfBirth))
            else { return false }
        } else {
            guard pass.run.groupCount &- group >= 3 else { return false }
            let second = pass.run.group(group &+ 1)
            let third = pass.run.group(group &+ 2)
            guard second.mark == third.mark, second.marks <= 2, third.marks <= 2,
                second.end &- second.start <= (second.hasDigit ? 2 : 4)
            else {
                return false
            }
            switch second.mark {
            case UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: " "), UInt8(ascii: "_"): break
            default: return false
            }
            if second.mark == UInt8(ascii: " ") { isCertain = false }
            var middle = number(text, second.start, second.end &- second.start)
            if middle < 0, isMonth(text, second.start, second.end) { middle = 1 }  // 02-Jan-1990
            if size == 4 {
                // The time of day may follow: "T00:00".
                let day = third.start
                let days = text.isDigit(day &+ 1) ? 2 : 1
                guard isDate(number(text, start, 4), middle, number(text, day, days)), !text.isDigit(day &+ days) else {
                    return false
                }
                end = day &+ days
                if end < third.end, text[end] | 0x20 != UInt8(ascii: "t") { return false }
            } else {
                let years = third.end &- third.start
                guard size <= 2, years == 4 || years == 2 else { return false }
                isCertain = years == 4
                let year = number(text, third.start, years) &+ (years == 2 ? 1900 : 0)
                let one = number(text, start, size)
                guard isDate(year, middle, one) || isDate(year, one, middle) else { return false }
                end = third.end
            }
        }
        if enabled.has(.dateOfBirth) { addDate(text, start, end, &pass) }
        return isCertain
    }

    /// The date of birth that a time begins with: "1990-01-02T00:00".
    func examineTime(_ text: TextBytes, _ start: Int, _ pass: inout DetectionPass) {
        let (year, month, day) = (number(text, start, 4), number(text, start &+ 5, 2), number(text, start &+ 8, 2))
        if isDate(year, month, day) { addDate(text, start, start &+ 10, &pass) }
    }

    /// Dates with a month's name whose year ends where a bit of `places` is: "12 March 1990", "March 12, 1990".
    func examineYears(_ text: TextBytes, _ offset: Int, _ places: UInt64, _ pass: inout DetectionPass) {
        var left = places
        while left != 0 {
            let end = offset &+ left.trailingZeroBitCount &+ 1
            left &= left &- 1
            var at = end &- 5
            guard !text.isDigit(end), number(text, end &- 4, 4) >= 1850, number(text, end &- 4, 4) <= 2150 else {
                continue
            }
            var byte = text[at &- 1]
            if byte == UInt8(ascii: ",") || byte == UInt8(ascii: ".") {
                at &-= 1
                byte = text[at &- 1]
            }
            var start: Int
            if byte.isDigit {
                // A day before the year, a month before the day.
                start = at &- 1
                if text.isDigit(start &- 1) { start &-= 1 }
                guard text[start &- 1] == UInt8(ascii: " ") else { continue }
                let word = wordStart(text, start &- 1)
                guard isMonth(text, word, start &- 1) else { continue }
                start = word
            } else {
                let word = wordStart(text, at)
                guard isMonth(text, word, at) else { continue }
                start = word &- 1
                if text[start &- 1] == UInt8(ascii: "."), text.isDigit(start &- 2) { start &-= 1 }
                while start > word &- 6, text[start &- 1].isLetter { start &-= 1 }  // st, nd, rd, th, de
                if text[start] | 0x20 == UInt8(ascii: "d"), text[start &- 1] == UInt8(ascii: " ") { start &-= 1 }
                while text.isDigit(start &- 1), start > word &- 9 { start &-= 1 }
                guard text.isDigit(start), start < word else { continue }
            }
            if pass.isAssuming {
                pass.hasHit = true
                return
            }
            addDate(text, start, end, &pass)
        }
    }

    private func addDate(_ text: TextBytes, _ start: Int, _ end: Int, _ pass: inout DetectionPass) {
        if pass.isAssuming || pass.name.contains(Context(.dateOfBirth)) {
            pass.add(.dateOfBirth, start, end, 95)
        } else if pass.name.isDisjoint(with: .against) || !pass.name.isDisjoint(with: .all),
            text.meaningDirectlyBefore(start).contains(Context(.dateOfBirth))
        {
            pass.add(.dateOfBirth, start, end, 85)
        }
    }

    private func wordStart(_ text: TextBytes, _ end: Int) -> Int {
        var start = end
        while text[start &- 1].isWordByte, !text.isDigit(start &- 1), end &- start < 16 { start &-= 1 }
        return start
    }

    /// True where the word is a month's name in English, German, French, Spanish, Italian, Portuguese or Dutch, or short
    /// for one: all begin with one of these.
    private func isMonth(_ text: TextBytes, _ start: Int, _ end: Int) -> Bool {
        guard end &- start >= 3, end &- start <= 12 else { return false }
        var code = 0
        for offset in 0..<3 {
            let byte = text[start &+ offset]
            code = code << 8 | Int(byte.isLetter ? byte | 0x20 : byte)
        }
        return Months.beginnings.contains(code)
    }

    private func number(_ text: TextBytes, _ start: Int, _ count: Int) -> Int {
        var value = 0
        for offset in start..<(start &+ max(0, count)) {
            guard text.isDigit(offset) else { return -1 }
            value = value &* 10 &+ Int(text[offset] &- 48)
        }
        return value
    }

    private func isDate(_ year: Int, _ month: Int, _ day: Int) -> Bool {
        year >= 1850 && year <= 2150 && month >= 1 && month <= 12 && day >= 1 && day <= 31
    }
}

private enum Months {
    static let beginnings: [Int] =
        [
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "mai", "okt", "dez",
            "jui", "avr",
            "ene", "abr", "ago", "dic", "gen", "mag", "giu", "lug", "set", "ott", "fev", "out", "mei", "maa", "mrt",
        ].map { $0.utf8.reduce(0) { $0 << 8 | Int($1) } }
        + ["fé", "dé", "mä"].map { $0.utf8.reduce(0) { $0 << 8 | Int($1) } }
}

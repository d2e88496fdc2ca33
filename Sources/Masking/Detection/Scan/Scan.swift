import CByteClasses

/// What the blocks before said: each mask of the last block, whose upper bits reach into the next.
private struct Before {
    var digit: UInt64 = 0
    var firstMark: UInt64 = 0
    var secondMark: UInt64 = 0
    var number: UInt64 = 0
    var number2: UInt64 = 0
    var number4: UInt64 = 0
    var letter: UInt64 = 0
    var capital: UInt64 = 0
    var letter2: UInt64 = 0
    var letter4: UInt64 = 0
    var token: UInt64 = 0
    var token2: UInt64 = 0
    var token4: UInt64 = 0
    var token8: UInt64 = 0
    var some2: UInt64 = 0
    var some4: UInt64 = 0
    var space: UInt64 = 0
    var dash: UInt64 = 0
    var colon: UInt64 = 0
    var beforeColon: UInt64 = 0
    var linked: UInt64 = 0
    var linked2: UInt64 = 0
}

@inline(__always)
private func shifted(_ mask: UInt64, _ before: UInt64, _ by: UInt64) -> UInt64 {
    mask &<< by | before &>> (64 &- by)
}

extension DetectorSet {
    /// Goes through the text in blocks of 64 bytes, whose masks say where something may end that a detector knows; the
    /// detectors look only there.
    ///
    /// What a mask must have for a detector to be asked: seven digits and marks, or nine bytes of a token with a digit and a
    /// letter among them, or an "@", or colons as in addresses. So `mayMatch` and `find` ask the same questions.
    ///
    /// - Returns: true where the text has characters beyond ASCII that must be folded first.
    @discardableResult
    func scan(_ text: TextBytes, _ pass: inout DetectionPass, isFolded: Bool = false) -> Bool {
        pass.begin()
        if pass.isMarking { return markBlocks(text, &pass) }
        var classes = ByteClasses()
        if text.count <= 64 {
            unsafe tidegate_byte_classes(text.block(0), text.count, &classes)
            // A short value without anything that could begin to be found.
            let some = classes.digit | classes.at | classes.high | classes.colon | classes.dash & classes.dash &<< 1
            if some == 0, !pass.isAssuming || classes.backslash == 0, !asksLongTokens || text.count < 20 {
                return false
            }
            if mustFold(text, 0, classes, &pass, isPlain: isFolded) { return !pass.hasHit }
            if classes.control != 0, !isFolded, hasGap(text, 0, classes.control, classes.digit, classes.mark) {
                return folds(&pass)
            }
            var none = Before()
            examine(text, 0, &classes, &none, &pass)
            return false
        }
        return scanBlocks(text, &pass, isFolded: isFolded)
    }

    private func scanBlocks(_ text: TextBytes, _ pass: inout DetectionPass, isFolded: Bool) -> Bool {
        var classes = ByteClasses()
        var before = Before()
        var isPlain = isFolded
        var offset = 0
        var isQuiet = pass.isAssuming
        while offset < text.count {
            if isQuiet {
                skipQuietBlocks(text, &offset, &before, &pass)
                if offset >= text.count { break }
            }
            unsafe tidegate_byte_classes(text.block(offset), min(64, text.count &- offset), &classes)
            if classes.high | classes.backslash != 0 {
                if mustFold(text, offset, classes, &pass, isPlain: isPlain) { return !pass.hasHit }
                if classes.high != 0, !pass.isAssuming { isPlain = true }
            }
            if classes.control != 0, !isFolded, hasGap(text, offset, classes.control, classes.digit, classes.mark) {
                return folds(&pass)
            }
            examine(text, offset, &classes, &before, &pass)
            if pass.hasHit { return false }
            before.digit = classes.digit
            isQuiet =
                unsafe pass.isAssuming && text.count &- offset >= 64
                && tidegate_quiet_blocks(text.block(offset), 64) == 1
            offset &+= 64
        }
        return false
    }

    /// As `scanBlocks` while assuming; but each block with a hit in it is marked, and the scan goes on behind it.
    private func markBlocks(_ text: TextBytes, _ pass: inout DetectionPass) -> Bool {
        var classes = ByteClasses()
        var before = Before()
        var offset = 0
        var isQuiet = true
        for _ in 0...(text.count &>> 12) { pass.marks.append(0) }
        while offset < text.count {
            if isQuiet { skipQuietBlocks(text, &offset, &before, &pass) }
            let count = min(64, text.count &- offset)
            if count == 0 { break }
            unsafe tidegate_byte_classes(text.block(offset), count, &classes)
            pass.hasHit = false
            var isHit = false
            if classes.high | classes.backslash != 0 {
                isHit = mustFold(text, offset, classes, &pass, isPlain: false)
                pass.hasHit = false
            }
            if classes.control != 0, hasGap(text, offset, classes.control, classes.digit, classes.mark) { isHit = true }
            examine(text, offset, &classes, &before, &pass)
            if isHit || pass.hasHit {
                pass.marks[offset &>> 12] |= 1 &<< UInt64(offset &>> 6 & 63)
                // What was found may seem to reach beyond its own value: the values behind it are looked at all the same.
                let end = offset &+ 64
                pass.zoneEnd = min(pass.zoneEnd, end)
                pass.tokenEnd = min(pass.tokenEnd, end)
                pass.addressEnd = min(pass.addressEnd, end)
                pass.keyEnd = min(pass.keyEnd, end)
            }
            before.digit = classes.digit
            isQuiet = unsafe count == 64 && tidegate_quiet_blocks(text.block(offset), 64) == 1
            offset &+= 64
        }
        pass.hasHit = false
        return false
    }

    /// Goes over blocks in which nothing can begin, where the block before is such a one as well; `before` is as if they
    /// had been examined.
    @inline(__always)
    private func skipQuietBlocks(
        _ text: TextBytes, _ offset: inout Int, _ before: inout Before, _ pass: inout DetectionPass
    ) {
        let count = unsafe tidegate_quiet_blocks(text.block(offset), text.count &- offset)
        if count == 0 { return }
        offset &+= count &* 64
        // What the next block must know of them the last one tells: no mask reaches as far as 64 bytes.
        var classes = ByteClasses()
        before = Before()
        unsafe tidegate_byte_classes(text.block(offset &- 64), 64, &classes)
        examine(text, offset &- 64, &classes, &before, &pass)
        before.digit = classes.digit
    }

    /// True where characters beyond ASCII from this block on must be folded, or, while assuming, may be what is looked
    /// for: that is a hit.
    @inline(__always)
    private func mustFold(
        _ text: TextBytes, _ offset: Int, _ classes: ByteClasses, _ pass: inout DetectionPass, isPlain: Bool
    ) -> Bool {
        if !pass.isAssuming { return classes.high != 0 && !isPlain && matters(text, from: offset) }
        let isHit =
            (classes.high != 0 && matters(text, offset, classes.high, digit: classes.digit))
            || (classes.backslash != 0 && escapeMatters(text, offset, classes.backslash))
        if isHit { pass.hasHit = true }
        return isHit
    }

    /// While assuming, what must be folded is a hit.
    private func folds(_ pass: inout DetectionPass) -> Bool {
        if pass.isAssuming { pass.hasHit = true }
        return !pass.isAssuming
    }

    /// Asks the detectors about one block.
    @inline(__always)
    private func examine(
        _ text: TextBytes, _ offset: Int, _ classes: inout ByteClasses, _ before: inout Before,
        _ pass: inout DetectionPass
    ) {
        let digit = classes.digit
        if asksNumbers || asksTokens {
            let token = digit | classes.letter | classes.word
            let token2 = token & shifted(token, before.token, 1)
            let token4 = token2 & shifted(token2, before.token2, 2)
            let letter2 = classes.letter | shifted(classes.letter, before.letter, 1)
            let letter4 = letter2 | shifted(letter2, before.letter2, 2)
            // A key of capitals may be without a digit.
            let token8 = token4 & shifted(token4, before.token4, 4)
            let long =
                asksLongTokens
                ? token8 & shifted(token8, before.token8, 8) & classes.capital
                    & shifted(classes.capital, before.capital, 5) & shifted(classes.capital, before.capital, 10)
                    & shifted(classes.capital, before.capital, 15) : 0
            before.capital = classes.capital
            before.token8 = token8
            if digit | before.digit &>> 56 == 0 {
                // No digit, and none in the eight bytes before: nothing ends here.
                before.firstMark = 0
                before.secondMark = 0
                before.number = 0
                before.number2 = 0
                before.number4 = 0
                before.some2 = 0
                before.some4 = 0
                if long != 0 {
                    if pass.isMarking { pass.hasHit = true } else { examineTokens(text, offset, long, &pass) }
                }
            } else {
                // Digits, each with the marks behind it, up to three.
                let first = classes.mark & shifted(digit, before.digit, 1)
                let second = classes.mark & shifted(first, before.firstMark, 1)
                let third = classes.mark & shifted(second, before.secondMark, 1)
                let number = digit | first | second | third
                let number2 = number & shifted(number, before.number, 1)
                let number4 = number2 & shifted(number2, before.number2, 2)
                let number7 = number4 & shifted(number4, before.number4, 3)
                let token9 = token8 & shifted(token, before.token, 8)
                var tokens = long
                let some2 = digit | shifted(digit, before.digit, 1)
                let some4 = some2 | shifted(some2, before.some2, 2)
                if token9 != 0 {
                    let some8 = some4 | shifted(some4, before.some4, 4)
                    let letter8 = letter4 | shifted(letter4, before.letter4, 4)
                    tokens |=
                        token9 & (some8 | shifted(digit, before.digit, 8))
                        & (letter8 | shifted(classes.letter, before.letter, 8))
                }
                // The first four of an IBAN in groups.
                let account =
                    classes.mark & shifted(digit, before.digit, 1)
                    & shifted(digit, before.digit, 2) & shifted(classes.letter, before.letter, 3)
                    & shifted(classes.letter, before.letter, 4)
                let places = number7 & digit | tokens | account
                if pass.isMarking {
                    // Whoever looks there looks once: with the name of the value, and its words.
                    if places != 0 { pass.hasHit = true }
                } else if places != 0 {
                    if asksNumbers { examineNumbers(text, offset, places, &pass) }
                    if asksTokens, tokens != 0 { examineTokens(text, offset, tokens, &pass) }
                }
                if enabled.has(.dateOfBirth) {
                    let year = fourDigits(digit, before.digit) & shifted(classes.space, before.space, 4)
                    if year != 0 { examineYears(text, offset, year, &pass) }
                }
                before.firstMark = first
                before.secondMark = second
                before.number = number
                before.number2 = number2
                before.number4 = number4
                before.some2 = some2
                before.some4 = some4
            }
            before.space = classes.space
            before.letter = classes.letter
            before.letter2 = letter2
            before.letter4 = letter4
            before.token = token
            before.token2 = token2
            before.token4 = token4
        }
        if enabled.has(.email), classes.at != 0 { examineEmails(text, offset, classes.at, &pass) }
        if asksAddresses {
            let hexOrColon = digit | classes.letter | classes.colon
            let linked = classes.colon & shifted(hexOrColon, before.beforeColon, 1)
            if linked | before.linked != 0 {
                let double = linked & shifted(classes.colon, before.colon, 1)
                let linked2 = linked & chained(linked, before.linked)
                let linked3 = linked2 & chained(linked2, before.linked2)
                if double | linked3 != 0 { examineAddresses(text, offset, double | linked3, &pass) }
                before.linked2 = linked2
            } else {
                before.linked2 = 0
            }
            before.linked = linked
            before.colon = classes.colon
            before.beforeColon = hexOrColon
        }
        if enabled.has(.pem) {
            let dash2 = classes.dash & shifted(classes.dash, before.dash, 1)
            if dash2 != 0 { examineKeys(text, offset, dash2, &pass) }
            before.dash = classes.dash
        }
    }

    /// Ends of four digits.
    @inline(__always)
    private func fourDigits(_ digit: UInt64, _ before: UInt64) -> UInt64 {
        digit & shifted(digit, before, 1) & shifted(digit, before, 2) & shifted(digit, before, 3)
    }

    /// Colons with another one two to five bytes before.
    @inline(__always)
    private func chained(_ mask: UInt64, _ before: UInt64) -> UInt64 {
        shifted(mask, before, 2) | shifted(mask, before, 3) | shifted(mask, before, 4) | shifted(mask, before, 5)
    }

    // MARK: Beyond ASCII, and escapes

    private func matters(_ text: TextBytes, from offset: Int) -> Bool {
        var at = offset
        while at < text.count {
            if text[at] >= 0xc2, Folding.matters(text, at) { return true }
            at &+= 1
        }
        return false
    }

    private func matters(_ text: TextBytes, _ offset: Int, _ high: UInt64, digit: UInt64) -> Bool {
        // Of the bytes near the block's edges that cannot be told.
        let nearDigits: UInt64 = digit != 0 ? ~0 : 0xff00_0000_0000_000f
        var left = high
        while left != 0 {
            let bit = left.trailingZeroBitCount
            let at = offset &+ bit
            let isNear = nearDigits &>> UInt64(bit) & 1 != 0
            if text[at] >= 0xc2, Folding.matters(text, at, nearDigits: isNear) { return true }
            left &= left &- 1
        }
        return false
    }

    /// True where an escape of JSON may hide what a detector looks for.
    private func escapeMatters(_ text: TextBytes, _ offset: Int, _ backslashes: UInt64) -> Bool {
        var left = backslashes
        while left != 0 {
            let at = offset &+ left.trailingZeroBitCount
            left &= left &- 1
            switch text[at &+ 1] {
            case UInt8(ascii: "u"): if unitMatters(text, at &+ 2) { return true }
            case UInt8(ascii: "/"):
                // A slash inside something: a date, or what is written in base64.
                var start = at
                while text[start] == UInt8(ascii: "\\") { start &-= 1 }
                let byte = text[start]
                if byte.isDigit || (byte.isTokenByte && enabled.has(.secret)) { return true }
            case UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
                // Among the digits of a number; another escape may follow.
                var start = at
                while text[start] == UInt8(ascii: "\\") { start &-= 1 }
                guard text.followsDigit(start &+ 1) else { break }
                var behind = at &+ 2
                while behind < at &+ 5, text[behind].isMark { behind &+= 1 }
                let byte = text[behind]
                if byte.isDigit || byte == UInt8(ascii: "\\") { return true }
                if byte >= 0x80, Folding.folded(text, behind).byte != 0 { return true }
            default: break
            }
        }
        return false
    }

    private func unitMatters(_ text: TextBytes, _ offset: Int) -> Bool {
        var unit: UInt32 = 0
        for index in 0..<4 {
            let byte = text[offset &+ index]
            guard byte.isHex else { return false }
            unit = unit << 4 | UInt32(byte.isDigit ? byte &- 48 : (byte | 0x20) &- 87)
        }
        if unit < 0x80 {
            let byte = UInt8(truncatingIfNeeded: unit)
            return byte.isTokenByte || byte.isMark || byte.isLineControl || byte == UInt8(ascii: "@")
                || byte == UInt8(ascii: ":")
                || byte == UInt8(ascii: "%") || byte == UInt8(ascii: "\\")
                || (enabled.has(.secret) && isSecretByte(byte))
        }
        if unit == 0xd835 || unit == 0xdb40 { return true }  // the first half of a mathematical digit, of a tag
        if unit >= 0xd800, unit < 0xe000 { return false }
        var bytes = InlineArray<4, UInt8>(repeating: 0)
        if unit < 0x800 {
            bytes[0] = 0xc0 | UInt8(truncatingIfNeeded: unit >> 6)
            bytes[1] = 0x80 | UInt8(truncatingIfNeeded: unit & 0x3f)
        } else {
            bytes[0] = 0xe0 | UInt8(truncatingIfNeeded: unit >> 12)
            bytes[1] = 0x80 | UInt8(truncatingIfNeeded: unit >> 6 & 0x3f)
            bytes[2] = 0x80 | UInt8(truncatingIfNeeded: unit & 0x3f)
        }
        return unsafe bytes.span.withUnsafeBufferPointer { raw in
            guard let base = raw.baseAddress else { return false }
            return unsafe Folding.folded(TextBytes(base, raw.count), 0).byte != 0
        }
    }
}

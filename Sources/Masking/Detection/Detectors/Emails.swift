extension DetectorSet {
    /// Addresses of mail (RFC 5321, unquoted local parts; beyond ASCII RFC 6531) around the "@" and "%40" of a block.
    func examineEmails(_ text: TextBytes, _ offset: Int, _ places: UInt64, _ pass: inout DetectionPass) {
        var left = places
        while left != 0 {
            let at = offset &+ left.trailingZeroBitCount
            left &= left &- 1
            var behind = at &+ 1
            if text[at] == UInt8(ascii: "%") {
                guard text[at &+ 1] == UInt8(ascii: "4"), text[at &+ 2] == UInt8(ascii: "0") else { continue }
                behind = at &+ 3
            }
            if pass.isAssuming {
                // Whoever looks there looks closer.
                if text[behind].isWordByte, isLocal(text[at &- 1]) || text[at &- 1] == UInt8(ascii: "\"") {
                    pass.hasHit = true
                    return
                }
                continue
            }
            guard let end = domainEnd(text, behind) else { continue }
            var start = at
            while isLocal(text[start &- 1]), at &- start < 320 { start &-= 1 }
            while start < at, text[start] == UInt8(ascii: ".") { start &+= 1 }
            if start == at {
                // "..." before the "@": the quoted form.
                guard text[at &- 1] == UInt8(ascii: "\""), let quote = openingQuote(text, at &- 1) else { continue }
                start = quote
            }
            pass.add(.email, start, end, 90)
            if pass.hasHit { return }
        }
    }

    private func openingQuote(_ text: TextBytes, _ closing: Int) -> Int? {
        var at = closing &- 1
        while at >= 0, closing &- at <= 64 {
            if text[at] == UInt8(ascii: "\"") { return closing &- at > 1 ? at : nil }
            if text[at] < 0x20 { return nil }
            at &-= 1
        }
        return nil
    }

    @inline(__always)
    private func isLocal(_ byte: UInt8) -> Bool {
        // A bit for each of ! # $ % & ' * + - . and the digits, then for ^ _ { | } ~ and the letters.
        let low: UInt64 = 0x03ff_6cfa_0000_0000
        let high: UInt64 = 0x7fff_fffe_c7ff_fffe
        if byte >= 0x80 { return true }
        return (byte < 0x40 ? low : high) &>> UInt64(byte & 63) & 1 != 0
    }

    /// Behind the domain that begins at `start`: labels with points between, the last one of letters; nil where it is none.
    private func domainEnd(_ text: TextBytes, _ start: Int) -> Int? {
        var at = start
        var label = start
        var end: Int?
        while true {
            let byte = text[at]
            if byte.isWordByte || (byte == UInt8(ascii: "-") && at > label) {
                at &+= 1
                if at &- start > 255 { return end }
                continue
            }
            if at == label { break }
            var last = at
            while text[last &- 1] == UInt8(ascii: "-") { last &-= 1 }
            if last == at, label > start, isTopLevel(text, label, at) { end = at }
            guard byte == UInt8(ascii: ".") else { break }
            at &+= 1
            label = at
        }
        return end
    }

    private func isTopLevel(_ text: TextBytes, _ start: Int, _ end: Int) -> Bool {
        let length = end &- start
        guard length >= 2, length <= 63 else { return false }
        for at in start..<end where !text[at].isLetter && text[at] < 0x80 {
            return length > 4 && text.has("XN--", at: start)
        }
        // "picture@2x.png" is a file.
        if length == 3,
            text.has("PNG", at: start) || text.has("JPG", at: start) || text.has("GIF", at: start)
                || text.has("SVG", at: start)
        {
            return false
        }
        if length == 4, text.has("WEBP", at: start) || text.has("JPEG", at: start) { return false }
        return true
    }
}

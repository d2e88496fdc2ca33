extension DetectorSet {
    /// Four numbers up to 255 with points between (RFC 791, as everybody writes them), and no version of a program.
    ///
    /// - Returns: true where they begin with `group`.
    func examineIPv4(_ text: TextBytes, _ group: Int, _ pass: inout DetectionPass) -> Bool {
        guard pass.run.groupCount &- group >= 4 else { return false }
        for index in 0..<4 {
            let part = pass.run.group(group &+ index)
            let size = part.end &- part.start
            guard size <= 3, index == 0 || (part.mark == UInt8(ascii: ".") && part.marks == 1) else { return false }
            var value = 0
            for offset in part.start..<part.end {
                guard text.isDigit(offset) else { return false }
                value = value &* 10 &+ Int(text[offset] &- 48)
            }
            guard value <= 255, size == 1 || text[part.start] != UInt8(ascii: "0") else { return false }
        }
        let start = pass.run.group(group).start
        let end = pass.run.group(group &+ 3).end
        if text[end] == UInt8(ascii: "."), text.isAlphanumeric(end &+ 1) { return false }
        let before = text[start &- 1]
        if !pass.isAssuming, before == UInt8(ascii: ".") || before == UInt8(ascii: "-"), text.isAlphanumeric(start &- 2)
        {
            return false
        }
        if !pass.isAssuming, !pass.name.contains(Context(.ipv4)) {
            if pass.name.contains(.version) { return false }
            if text.meaningAround(start, start, reach: 16, behind: false).contains(.version) { return false }
        }
        pass.add(.ipv4, start, end, 90)
        return true
    }

    /// IPv6 addresses (RFC 4291, section 2.2) and hardware addresses with colons around the colons that `places` marks.
    func examineAddresses(_ text: TextBytes, _ offset: Int, _ places: UInt64, _ pass: inout DetectionPass) {
        var left = places
        while left != 0 {
            let at = offset &+ left.trailingZeroBitCount
            left &= left &- 1
            if at < pass.addressEnd { continue }
            var start = at
            while start > pass.addressEnd, at &- start < 48,
                text[start &- 1].isHex || text[start &- 1] == UInt8(ascii: ":")
            {
                start &-= 1
            }
            var end = at
            while text[end].isHex || text[end] == UInt8(ascii: ":") { end &+= 1 }
            let bare = end
            if text[end] == UInt8(ascii: ".") {
                while text[end].isDigit || text[end] == UInt8(ascii: ".") { end &+= 1 }
                while text[end &- 1] == UInt8(ascii: ".") { end &-= 1 }
            }
            if pass.isAssuming {
                // An escape's letter may stand before it.
                var letter = start
                while text[letter &- 1].isAlphanumeric { letter &-= 1 }
                if text[letter &- 1] == UInt8(ascii: "\\") {
                    pass.hasHit = true
                    return
                }
            }
            pass.addressEnd = end
            if text[start &- 1].isAlphanumeric || text[bare].isAlphanumeric || text[bare] == UInt8(ascii: "_") {
                continue
            }
            if enabled.has(.mac), isHardwareAddress(text, start, bare) {
                pass.add(.mac, start, bare, 90)
            } else if enabled.has(.ipv6) {
                examineIPv6(text, start, end, &pass)
            }
            if pass.hasHit { return }
        }
    }

    private func isHardwareAddress(_ text: TextBytes, _ start: Int, _ end: Int) -> Bool {
        let mark = text[start &+ 2]
        if end &- start == 17 {
            guard mark == UInt8(ascii: ":") || mark == UInt8(ascii: "-") else { return false }
            for index in 0..<17 {
                if index % 3 == 2 ? text[start &+ index] != mark : !text[start &+ index].isHex { return false }
            }
            return true
        }
        guard end &- start == 14 else { return false }
        for index in 0..<14 {
            let isPoint = text[start &+ index] == UInt8(ascii: ".")
            if index % 5 == 4 ? !isPoint : !text[start &+ index].isHex { return false }
        }
        return true
    }

    private func examineIPv6(_ text: TextBytes, _ start: Int, _ end: Int, _ pass: inout DetectionPass) {
        var start = start
        var end = end
        // A colon alone at either end belongs to the sentence.
        if text[start] == UInt8(ascii: ":"), text[start &+ 1] != UInt8(ascii: ":") { start &+= 1 }
        if end &- start >= 2, text[end &- 1] == UInt8(ascii: ":"), text[end &- 2] != UInt8(ascii: ":") { end &-= 1 }
        var groups = 0
        var digits = 0
        var size = 0
        var doubles = 0
        var hasDigit = false
        var at = start
        while at < end {
            let byte = text[at]
            if byte == UInt8(ascii: ":") {
                if size > 0 { groups &+= 1 }
                size = 0
                if text[at &+ 1] == UInt8(ascii: ":") {
                    doubles &+= 1
                    at &+= 1
                    if text[at &+ 1] == UInt8(ascii: ":") { return }
                }
            } else if byte == UInt8(ascii: ".") {
                guard isDottedQuad(text, at &- size, end) else { return }
                groups &+= 2
                size = 0
                hasDigit = true
                digits &+= 4
                break
            } else {
                hasDigit = hasDigit || byte.isDigit
                size &+= 1
                digits &+= 1
                if size > 4 { return }
            }
            at &+= 1
        }
        if size > 0 { groups &+= 1 }
        // Eight pairs of digits are the name of a port or the beginning of a fingerprint.
        if doubles == 0, digits == 16, end &- start == 23 { return }
        guard doubles == 1 ? groups <= 7 : doubles == 0 && groups == 8 else { return }
        // "::1" is nobody's, and "a::b" is more often a program's name than an address.
        if doubles == 1, groups < 2 || digits < 4 || (!hasDigit && groups < 3) { return }
        pass.add(.ipv6, start, end, 90)
    }

    private func isDottedQuad(_ text: TextBytes, _ start: Int, _ end: Int) -> Bool {
        var parts = 1
        var value = 0
        var size = 0
        for at in start..<max(start, end) {
            if text[at] == UInt8(ascii: ".") {
                guard size > 0 else { return false }
                parts &+= 1
                value = 0
                size = 0
            } else {
                guard text.isDigit(at) else { return false }
                value = value &* 10 &+ Int(text[at] &- 48)
                size &+= 1
                if value > 255 || size > 3 { return false }
            }
        }
        return parts == 4 && size > 0
    }

    /// Hardware addresses with dashes or points: `start` to `end` is a token.
    func examineHardwareAddress(_ text: TextBytes, _ start: Int, _ end: Int, _ pass: inout DetectionPass) {
        guard isHardwareAddress(text, start, end) else { return }
        pass.add(.mac, start, end, 85)
    }
}

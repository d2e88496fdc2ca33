extension DetectorSet {
    /// Looks at each zone of digits, letters and marks that a bit of `places` lies in, once.
    func examineNumbers(_ text: TextBytes, _ offset: Int, _ places: UInt64, _ pass: inout DetectionPass) {
        var left = places
        while left != 0 {
            let at = offset &+ left.trailingZeroBitCount
            if at < pass.zoneEnd {
                let done = pass.zoneEnd &- offset
                if done >= 64 { return }
                left &= ~0 << UInt64(done)
                continue
            }
            examineZone(text, zoneStart(text, at, pass.zoneEnd, pass), at, &pass)
            if pass.hasHit { return }
        }
    }

    /// Where the zone begins that `place` lies in: to the left over groups with digits, and one short word before them.
    private func zoneStart(_ text: TextBytes, _ place: Int, _ limit: Int, _ pass: borrowing DetectionPass) -> Int {
        if pass.isWhole, limit == 0, pass.whole.isNumber(upTo: place) { return 0 }
        var start = place
        // The place may be a mark behind a group, or in front of one.
        while start > limit, !text.isAlphanumeric(start) { start &-= 1 }
        var isFirst = true
        var isBehindWord = false
        while true {
            var begin = start
            var hasDigit = false
            if pass.isWhole {
                let before = (1 &<< UInt64(start)) &- 1
                begin = max(limit, 64 &- (~pass.whole.alphanumeric & before).leadingZeroBitCount)
                let group = ((2 &<< UInt64(start)) &- 1) & (~0 &<< UInt64(begin))
                hasDigit = pass.whole.digit & group != 0
            } else {
                while begin > limit, text.isAlphanumeric(begin &- 1) {
                    hasDigit = hasDigit || text.isDigit(begin)
                    begin &-= 1
                }
                hasDigit = hasDigit || text.isDigit(begin)
            }
            if !isFirst, !hasDigit, start &- begin > 3 || isBehindWord { return nextGroup(text, start) }
            var at = begin
            var marks = 0
            while at > limit, marks < 3, text[at &- 1].isMark {
                at &-= 1
                marks &+= 1
            }
            guard marks > 0, at > limit, text.isAlphanumeric(at &- 1) else { return begin }
            start = at &- 1
            isBehindWord = !hasDigit
            isFirst = false
            if place &- start > 4096 { return begin }
        }
    }

    /// The start of the group behind the one that `offset` is the last byte of.
    private func nextGroup(_ text: TextBytes, _ offset: Int) -> Int {
        var at = offset &+ 1
        while text[at].isMark { at &+= 1 }
        return at
    }

    /// Behind a UUID, or a time as ISO 8601 writes it, that the zone begins with: no other detector looks at those.
    private func settledEnd(_ text: TextBytes, _ start: Int, _ pass: inout DetectionPass) -> Int? {
        if text[start &+ 8] == UInt8(ascii: "-"), text[start &+ 13] == UInt8(ascii: "-"), text.isInUUID(start, start) {
            return start &+ 36
        }
        guard text[start &+ 4] == UInt8(ascii: "-"), text[start &+ 7] == UInt8(ascii: "-"),
            text[start &+ 13] == UInt8(ascii: ":"), text.isDigit(start &+ 3), text.isDigit(start &+ 12)
        else { return nil }
        if enabled.has(.dateOfBirth) { examineTime(text, start, &pass) }
        return start &+ 13
    }

    private func examineZone(_ text: TextBytes, _ start: Int, _ place: Int, _ pass: inout DetectionPass) {
        if pass.isAssuming, start > 0, text[start &- 1] == UInt8(ascii: "\\") {
            pass.hasHit = true
            return
        }
        pass.zoneStart = numberStart(text, start)
        pass.isInZone = true
        defer { pass.isInZone = false }
        var at = start
        zone: while true {
            if let end = settledEnd(text, at, &pass) {
                at = end
                while text[at].isMark { at &+= 1 }
                if text.isAlphanumeric(at), !pass.hasHit { continue }
                break
            }
            let masks = pass.masks(text, from: at)
            pass.run.read(text, from: at, masks)
            let groups = pass.run.groupCount
            guard groups > 0 else {
                at = pass.run.end
                break
            }
            var group = 0
            while group < groups {
                // Far from the end of what was read a number is read whole.
                if group > 0, !pass.run.isLast, pass.run.first(group) > 24 || group > 12 { break }
                if group > 0, let end = settledEnd(text, pass.run.group(group).start, &pass) {
                    at = end
                    while text[at].isMark { at &+= 1 }
                    if text.isAlphanumeric(at), !pass.hasHit { continue zone }
                    break zone
                }
                group = examineStart(text, group, &pass)
                if pass.hasHit { return }
            }
            if group < groups {
                at = pass.run.group(group).start
            } else {
                at = pass.run.end
                if pass.run.isLast { break }
                while text[at].isMark { at &+= 1 }
                if !text.isAlphanumeric(at) { break }
            }
        }
        pass.zoneEnd = max(at, place &+ 1)
    }

    /// Where the first group with a digit begins.
    private func numberStart(_ text: TextBytes, _ start: Int) -> Int {
        var at = start
        while text[at].isLetter { at &+= 1 }
        if text.isDigit(at) { return start }
        while text[at].isMark { at &+= 1 }
        return at
    }
}

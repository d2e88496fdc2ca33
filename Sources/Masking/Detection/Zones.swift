import TidegateWire

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
            examineZone(text, zoneStart(text, at, pass.zoneEnd), at, &pass)
            if pass.hasHit { return }
        }
    }

    /// Where the zone begins that `place` lies in: to the left over groups with digits, and one short word before them.
    private func zoneStart(_ text: TextBytes, _ place: Int, _ limit: Int) -> Int {
        var start = place
        // The place may be a mark behind a group, or in front of one.
        while start > limit, !text.isAlphanumeric(start) { start &-= 1 }
        var isFirst = true
        var isBehindWord = false
        while true {
            var begin = start
            var hasDigit = false
            while begin > limit, text.isAlphanumeric(begin &- 1) {
                hasDigit = hasDigit || text.isDigit(begin)
                begin &-= 1
            }
            hasDigit = hasDigit || text.isDigit(begin)
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
            pass.run.read(text, from: at)
            let groups = pass.run.groupCount
            guard groups > 0 else {
                at = pass.run.end
                break
            }
            var group = 0
            while group < groups {
                // Far from the end of what was read a number is read whole.
                if group > 0, !pass.run.isLast, pass.run.first(group) > 24 || group > 12 { break }
                if let end = settledEnd(text, pass.run.group(group).start, &pass) {
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

extension DetectionPass {
    mutating func add(_ detector: BuiltInDetector, _ start: Int, _ end: Int, _ confidence: Int) {
        if isAssuming {
            hasHit = true
            return
        }
        findings.append(Finding(start: start, end: end, detector: detector.ordinal, confidence: confidence))
    }

    /// Of findings that overlap the one stands that holds the other, or else the surer one, or else the longer.
    mutating func chooseAmongOverlapping() {
        sortByStart()
        var kept = 0
        var index = 0
        while index < findings.count {
            // A cluster: each overlaps with one before it.
            var limit = index &+ 1
            var end = findings[index].end
            while limit < findings.count, findings[limit].start < end {
                end = max(end, findings[limit].end)
                limit &+= 1
            }
            if limit &- index == 1 {
                findings[kept] = findings[index]
                kept &+= 1
            } else {
                kept = choose(index, limit, kept)
            }
            index = limit
        }
        findings.removeLast(findings.count &- kept)
    }

    private mutating func sortByStart() {
        var index = 1
        while index < findings.count {
            let finding = findings[index]
            var place = index
            while place > 0, isBefore(finding, findings[place &- 1]) {
                findings[place] = findings[place &- 1]
                place &-= 1
            }
            findings[place] = finding
            index &+= 1
        }
    }

    private func isBefore(_ first: Finding, _ second: Finding) -> Bool {
        first.start != second.start ? first.start < second.start : first.end > second.end
    }

    /// Keeps of one cluster the strongest, then the strongest of those that do not overlap with it, and so on.
    private mutating func choose(_ start: Int, _ limit: Int, _ kept: Int) -> Int {
        var kept = kept
        let first = kept
        if limit &- start > 64 {
            // A crowd: one finding over all of it.
            var whole = findings[start]
            for index in start..<limit { whole.end = max(whole.end, findings[index].end) }
            findings[kept] = whole
            return kept &+ 1
        }
        var left: UInt64 = ~0 >> UInt64(64 &- (limit &- start))
        var chosen: UInt64 = 0
        while left != 0 {
            var best = -1
            var bits = left
            while bits != 0 {
                let index = start &+ bits.trailingZeroBitCount
                bits &= bits &- 1
                if best < 0 || isStronger(findings[index], findings[best]) { best = index }
            }
            chosen |= 1 << UInt64(best &- start)
            let winner = findings[best]
            bits = left
            while bits != 0 {
                let bit = bits.trailingZeroBitCount
                bits &= bits &- 1
                let other = findings[start &+ bit]
                if other.start < winner.end, winner.start < other.end { left &= ~(1 << UInt64(bit)) }
            }
        }
        while chosen != 0 {
            findings[kept] = findings[start &+ chosen.trailingZeroBitCount]
            chosen &= chosen &- 1
            kept &+= 1
        }
        return max(kept, first)
    }

    private func isStronger(_ first: Finding, _ second: Finding) -> Bool {
        let isLonger = first.end &- first.start > second.end &- second.start
        if first.start <= second.start, first.end >= second.end, isLonger { return true }
        if second.start <= first.start, second.end >= first.end, second.end &- second.start > first.end &- first.start {
            return false
        }
        if first.confidence != second.confidence { return first.confidence > second.confidence }
        return isLonger
    }
}

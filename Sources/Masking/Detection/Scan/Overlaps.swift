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

    /// What the scan adds is nearly in order, and moves by a few places without any memory. Users' patterns are matched
    /// before the scan, so that two long rows may have to be merged: that is a sort's work.
    private mutating func sortByStart() {
        var moves = findings.count &* 4
        var index = 1
        while index < findings.count {
            let finding = findings[index]
            var place = index
            while place > 0, DetectionPass.isBefore(finding, findings[place &- 1]) {
                findings[place] = findings[place &- 1]
                place &-= 1
            }
            findings[place] = finding
            moves &-= index &- place
            if moves < 0 {
                findings.sort(by: DetectionPass.isBefore)
                return
            }
            index &+= 1
        }
    }

    private static func isBefore(_ first: Finding, _ second: Finding) -> Bool {
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

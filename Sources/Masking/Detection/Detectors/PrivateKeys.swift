extension DetectorSet {
    /// Private keys between `-----BEGIN ... PRIVATE KEY-----` and the line that ends them (RFC 7468), or the end of the
    /// text where that line is missing.
    ///
    /// - Parameter places: ends of two dashes.
    func examineKeys(_ text: TextBytes, _ offset: Int, _ places: UInt64, _ pass: inout DetectionPass) {
        var left = places
        while left != 0 {
            let place = offset &+ left.trailingZeroBitCount
            left &= left &- 1
            if place < pass.keyEnd || !text.begins("-----BEGIN ", at: place &- 1) { continue }
            let start = place &- 1
            var at = start &+ 11
            var isPrivate = false
            while text[at].isCapital || text[at].isDigit || text[at] == UInt8(ascii: " ") {
                if text.begins("PRIVATE KEY", at: at) { isPrivate = true }
                at &+= 1
            }
            guard isPrivate, text.begins("-----", at: at) else { continue }
            at &+= 5
            if pass.isAssuming {
                // Where it ends does not matter, and may be far behind the value.
                pass.hasHit = true
                return
            }
            while at < text.count, !text.begins("-----END ", at: at) { at &+= 1 }
            if at < text.count {
                at &+= 9
                while text[at].isCapital || text[at].isDigit || text[at] == UInt8(ascii: " ") { at &+= 1 }
                while text[at] == UInt8(ascii: "-") { at &+= 1 }
            }
            at = min(at, text.count)
            pass.keyEnd = at
            pass.add(.pem, start, at, 99)
        }
    }
}

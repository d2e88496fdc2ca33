import TidegateWire

/// A detector of a rule.
public enum DetectorSpecification: Sendable {
    case builtIn(BuiltInDetector)
    case user(UserPattern)
}

/// Detectors that look at the same texts together.
public final class DetectorSet: Sendable {
    let enabled: DetectorBits
    /// Whether any looks at digits and letters with marks between, at long tokens, at colons.
    let asksNumbers: Bool
    let asksTokens: Bool
    let asksAddresses: Bool
    /// Whether any looks at tokens without digits.
    let asksLongTokens: Bool
    /// The place in the list: of built-in ones by their ordinal, of users' patterns from `firstPattern` on.
    private let places: [Int]
    private static let firstPattern = 64
    private let patterns: PatternSet?
    /// Whether there are patterns of users, which may match anything.
    public var hasPatterns: Bool { patterns != nil }
    /// How many detectors the list has.
    public let count: Int

    /// - Parameter list: a detector named twice counts where it stands first.
    /// - Throws: where users' patterns do not go together (`PatternSet`).
    public init(_ list: [DetectorSpecification]) throws(PatternError) {
        var places = [Int](repeating: 0, count: DetectorSet.firstPattern)
        var builtIn: [BuiltInDetector] = []
        var patterns: [UserPattern] = []
        for (place, specification) in list.enumerated() {
            switch specification {
            case .builtIn(let detector):
                guard !builtIn.contains(detector) else { continue }
                builtIn.append(detector)
                places[detector.ordinal] = place
            case .user(let pattern):
                patterns.append(pattern)
                places.append(place)
            }
        }
        self.places = places
        let enabled = DetectorBits(builtIn)
        self.enabled = enabled
        asksNumbers =
            builtIn.contains { $0.ordinal <= BuiltInDetector.franceRegistration.ordinal }
            || enabled.has(.phone) || enabled.has(.ipv4) || enabled.has(.dateOfBirth)
        asksTokens =
            enabled.has(.bitcoin) || enabled.has(.awsKey) || enabled.has(.jwt) || enabled.has(.githubToken)
            || enabled.has(.slackToken) || enabled.has(.stripeKey) || enabled.has(.secret) || enabled.has(.mac)
        asksLongTokens = enabled.has(.awsKey)
        asksAddresses = enabled.has(.ipv6) || enabled.has(.mac)
        count = list.count
        if enabled.has(.phone) {
            _ = CallingCodes.shared
            PhonePlans.prepare()
        }
        self.patterns = patterns.isEmpty ? nil : try PatternSet(patterns)
    }

    /// False where nothing in these bytes can be found by any detector of the set.
    ///
    /// One pass. What stands in base64 is not seen: who decodes it asks again. Where the set has users' patterns it is
    /// always true: what an escape hides from a pattern cannot be told without undoing it.
    ///
    /// - Parameter bytes: text, or a JSON document with its quotes and escapes, also with JSON in its strings.
    public func mayMatch(_ bytes: RawSpan) -> Bool {
        var pass = DetectionPass()
        return mayMatch(bytes, &pass)
    }

    /// The same, in room that is used again.
    public func mayMatch(_ bytes: RawSpan, _ pass: inout DetectionPass) -> Bool {
        if patterns != nil { return true }
        return unsafe bytes.withUnsafeBytes { raw in
            guard let base = raw.baseAddress, raw.count > 0 else { return false }
            let text = unsafe TextBytes(base.assumingMemoryBound(to: UInt8.self), raw.count)
            pass.isAssuming = true
            pass.hasHit = false
            scan(text, &pass)
            return pass.hasHit
        }
    }

    /// As `mayMatch`, and says where: `pass.marks` has a bit for each block of 64 bytes. Nothing can be found in a value of
    /// the document that touches no block whose bit is set.
    ///
    /// - Returns: false where no bit is set.
    public func mark(_ bytes: RawSpan, _ pass: inout DetectionPass) -> Bool {
        pass.marks.removeAll(keepingCapacity: true)
        if patterns != nil {
            for _ in 0...(bytes.byteCount >> 12) { pass.marks.append(~0) }
            return true
        }
        unsafe bytes.withUnsafeBytes { raw in
            guard let base = raw.baseAddress, raw.count > 0 else { return }
            pass.isAssuming = true
            pass.isMarking = true
            scan(unsafe TextBytes(base.assumingMemoryBound(to: UInt8.self), raw.count), &pass)
            pass.isMarking = false
        }
        for word in pass.marks where word != 0 { return true }
        return false
    }

    /// Finds what the detectors know in `text`: `pass.findings`, sorted, none over another.
    ///
    /// - Parameter text: the plain value, mostly UTF-8; other bytes neither trap nor hide anything.
    /// - Parameter name: the field's name as it stands (key, column, header), or nothing.
    public func find(in text: RawSpan, name: RawSpan, _ pass: inout DetectionPass) {
        if !pass.findings.isEmpty { pass.findings.removeAll(keepingCapacity: true) }
        pass.isAssuming = false
        pass.hasHit = false
        let meaning = pass.names.meaning(name, for: self, patterns)
        pass.name = meaning.context
        if let patterns { examine(patterns, text, meaning.patterns, &pass) }
        unsafe text.withUnsafeBytes { raw in
            guard let base = raw.baseAddress, raw.count > 0 else { return }
            let text = unsafe TextBytes(base.assumingMemoryBound(to: UInt8.self), raw.count)
            let found = pass.findings.count
            if scan(text, &pass) {
                pass.findings.removeLast(pass.findings.count &- found)
                scanFolded(text, meaning.patterns, &pass)
            }
        }
        if pass.findings.count > 1 { pass.chooseAmongOverlapping() }
        for index in pass.findings.indices { pass.findings[index].detector = places[pass.findings[index].detector] }
    }

    /// Adds what users' patterns match: with context, or a checksum, the surer.
    private func examine(
        _ patterns: PatternSet, _ text: RawSpan, _ name: PatternContext, _ pass: inout DetectionPass
    ) {
        pass.matches.removeAll(keepingCapacity: true)
        guard patterns.appendMatches(in: text, name: name, to: &pass.matches) else {
            // It could not be told: all of it is taken for a finding.
            pass.findings.append(
                Finding(start: 0, end: text.byteCount, detector: DetectorSet.firstPattern, confidence: 100))
            return
        }
        for match in pass.matches where match.end > match.start {
            let hasChecksum = patterns.patterns[match.pattern].checksum != nil
            pass.findings.append(
                Finding(
                    start: match.start, end: match.end, detector: DetectorSet.firstPattern &+ match.pattern,
                    confidence: 70 &+ (match.hasContext ? 15 : 0) &+ (hasChecksum ? 10 : 0)))
        }
    }

    /// Scans the text as a reader takes it; what is found is said in offsets of the text as it stands.
    private func scanFolded(_ text: TextBytes, _ name: PatternContext, _ pass: inout DetectionPass) {
        var folded: [UInt8] = []
        var origins: [Int32] = []
        swap(&folded, &pass.folded)
        swap(&origins, &pass.origins)
        Folding.fold(text, into: &folded, &origins)
        let known = pass.findings.count
        if let patterns { unsafe examine(patterns, folded.span.bytes, name, &pass) }
        unsafe folded.withUnsafeBufferPointer { raw in
            guard let base = raw.baseAddress else { return }
            let plain = unsafe TextBytes(base, raw.count)
            scan(plain, &pass, isFolded: true)
        }
        for index in known..<pass.findings.count {
            let start = pass.findings[index].start
            let end = pass.findings[index].end
            guard start >= 0, end > start, end <= origins.count else { continue }
            pass.findings[index].start = Int(origins[start])
            let last = Int(origins[end &- 1])
            let isFolded = text[last] >= 0x80 && folded[end &- 1] < 0x80
            pass.findings[index].end = last &+ (isFolded ? Folding.folded(text, last).length : 1)
        }
        swap(&folded, &pass.folded)
        swap(&origins, &pass.origins)
    }
}

internal import TidegateWire

/// A detector of a rule.
public enum DetectorSpecification: Sendable {
    case builtIn(BuiltInDetector)
}

/// Detectors that look at the same texts together.
public final class DetectorSet: Sendable {
    let enabled: DetectorBits
    /// By ordinal: the place in the list.
    private let places: [Int]
    /// How many detectors the list has.
    public let count: Int

    public init(_ list: [DetectorSpecification]) {
        var places = [Int](repeating: 0, count: BuiltInDetector.allCases.count)
        var builtIn: [BuiltInDetector] = []
        for (place, specification) in list.enumerated() {
            switch specification {
            case .builtIn(let detector):
                guard !builtIn.contains(detector) else { continue }
                builtIn.append(detector)
                places[detector.ordinal] = place
            }
        }
        self.places = places
        enabled = DetectorBits(builtIn)
        count = list.count
    }

    /// False where nothing in these bytes can be found by any detector of the set.
    ///
    /// One pass. What stands in base64 is not seen: who decodes it asks again.
    ///
    /// - Parameter bytes: text, or a JSON document with its quotes and escapes, also with JSON in its strings.
    public func mayMatch(_ bytes: RawSpan) -> Bool {
        unsafe bytes.withUnsafeBytes { raw in
            guard let base = raw.baseAddress, raw.count > 0 else { return false }
            let text = unsafe TextBytes(base.assumingMemoryBound(to: UInt8.self), raw.count)
            var pass = DetectionPass()
            pass.isAssuming = true
            scan(text, &pass)
            return pass.hasHit
        }
    }

    /// Finds what the detectors know in `text`: `pass.findings`, sorted, none over another.
    ///
    /// - Parameter text: the plain value, mostly UTF-8; other bytes neither trap nor hide anything.
    /// - Parameter name: the field's name as it stands (key, column, header), or nothing.
    public func find(in text: RawSpan, name: RawSpan, _ pass: inout DetectionPass) {
        pass.findings.removeAll(keepingCapacity: true)
        pass.isAssuming = false
        pass.name = pass.names.meaning(name)
        unsafe text.withUnsafeBytes { raw in
            guard let base = raw.baseAddress, raw.count > 0 else { return }
            let text = unsafe TextBytes(base.assumingMemoryBound(to: UInt8.self), raw.count)
            if scan(text, &pass) { scanFolded(text, &pass) }
        }
        if pass.findings.count > 1 { pass.chooseAmongOverlapping() }
        for index in pass.findings.indices { pass.findings[index].detector = places[pass.findings[index].detector] }
    }

    /// Scans the text as a reader takes it; what is found is said in offsets of the text as it stands.
    private func scanFolded(_ text: TextBytes, _ pass: inout DetectionPass) {
        var folded: [UInt8] = []
        var origins: [Int32] = []
        swap(&folded, &pass.folded)
        swap(&origins, &pass.origins)
        Folding.fold(text, into: &folded, &origins)
        pass.findings.removeAll(keepingCapacity: true)
        unsafe folded.withUnsafeBufferPointer { raw in
            guard let base = raw.baseAddress else { return }
            let plain = unsafe TextBytes(base, raw.count)
            _ = scan(plain, &pass, isFolded: true)
        }
        for index in pass.findings.indices {
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

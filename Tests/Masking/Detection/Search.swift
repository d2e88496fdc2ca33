import Testing
import TidegateDetection

/// All built-in detectors, or some, and what they find.
struct Search {
    let detectors: [BuiltInDetector]
    let set: DetectorSet

    init(_ detectors: [BuiltInDetector] = BuiltInDetector.allCases) throws {
        self.detectors = detectors
        set = try DetectorSet(detectors.map { .builtIn($0) })
    }

    func findings(_ text: [UInt8], name: String = "") -> [Finding] {
        var pass = DetectionPass()
        let name = Array(name.utf8)
        set.find(in: text.span.bytes, name: name.span.bytes, &pass)
        return pass.findings
    }

    /// "detector: what it found", in the order of the text.
    func found(_ text: String, name: String = "") -> [String] {
        let bytes = Array(text.utf8)
        return findings(bytes, name: name).map {
            "\(detectors[$0.detector].rawValue): \(String(decoding: bytes[$0.range], as: UTF8.self))"
        }
    }

    func mayMatch(_ text: String) -> Bool { mayMatch(Array(text.utf8)) }

    func mayMatch(_ bytes: [UInt8]) -> Bool {
        set.mayMatch(bytes.span.bytes)
    }
}

import Foundation
import TidegateWire

/// What is done to a value before its token is made, so that spellings of one value have one token.
///
/// A token of a form that can be opened opens to the normalised value.
public enum Normalisation: String, Sendable, CaseIterable {
    case none
    /// Compatibility forms are replaced (NFKC; Unicode Standard Annex 15); spaces, dashes, dots, slashes, brackets and
    /// characters without a width go. For card numbers, phone numbers, IBANs.
    case withoutSeparators = "without-separators"
    /// NFKC, lower case, no white space at either end. For e-mail addresses, names.
    case caseless

    /// Appends the normalised value. Text that is not UTF-8 stays as it is.
    ///
    /// ASCII is normalised in place; for anything else Foundation is asked, which allocates.
    func append(_ value: RawSpan, to output: inout [UInt8]) {
        if self == .none { return output.append(bytes: value) }
        var isASCII = true
        for index in 0..<value.byteCount where (value.byte(at: index) ?? 0) >= 0x80 {
            isASCII = false
            break
        }
        if isASCII { return appendASCII(value, to: &output) }
        guard let text = value.text(0..<value.byteCount) else { return output.append(bytes: value) }
        output.append(contentsOf: normalised(text).utf8)
    }

    private func appendASCII(_ value: RawSpan, to output: inout [UInt8]) {
        if self == .withoutSeparators {
            for index in 0..<value.byteCount {
                guard let byte = value.byte(at: index), !Normalisation.isSeparator(byte) else { continue }
                output.append(byte)
            }
            return
        }
        var first = 0
        var end = value.byteCount
        while let byte = value.byte(at: first), Normalisation.isSpace(byte) { first &+= 1 }
        while end > first, let byte = value.byte(at: end &- 1), Normalisation.isSpace(byte) { end &-= 1 }
        for index in first..<end {
            guard let byte = value.byte(at: index) else { continue }
            output.append(byte >= 65 && byte <= 90 ? byte | 0x20 : byte)
        }
    }

    private func normalised(_ text: String) -> String {
        let compatible = text.precomposedStringWithCompatibilityMapping
        switch self {
        case .none: return text
        case .withoutSeparators:
            let kept = compatible.unicodeScalars.filter { scalar in
                if scalar.isASCII { return !Normalisation.isSeparator(UInt8(truncatingIfNeeded: scalar.value)) }
                switch scalar.properties.generalCategory {
                case .spaceSeparator, .lineSeparator, .paragraphSeparator, .dashPunctuation, .format, .control:
                    return false
                default: return scalar.value != 0x2212  // minus sign
                }
            }
            return String(String.UnicodeScalarView(kept))
        case .caseless:
            // Lower case may undo the composed form, so it is composed again.
            let lower = compatible.lowercased().precomposedStringWithCompatibilityMapping
            return lower.trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    @inline(__always)
    private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (byte >= 9 && byte <= 13) }

    @inline(__always)
    private static func isSeparator(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...32, 127, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "("), UInt8(ascii: ")"):
            true
        default: false
        }
    }
}

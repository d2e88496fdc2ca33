import CPhoneNumbers
import TidegateWire

/// Telephone numbers as libphonenumber judges them. May be asked by any number of threads at once.
///
/// A candidate is written in ASCII digits, with spaces and `- . ( ) /` among them, `+` before the international form
/// (ITU-T E.164), and is of at most 40 bytes. Anything else is no number.
///
/// A plainly written number is judged by libphonenumber's numbering plans as automata, in some 50 ns; carrier codes,
/// international prefixes and their like by libphonenumber itself, in some 30 microseconds.
public enum PhoneNumbers {
    public static let maximumLength = 40

    /// Loads the numbering plans, which the first questions would do piece by piece: some 60 ms, 5 MB.
    public static func prepare() { _ = tidegate_phone_prepare() }

    /// True where the number lies in a range that is assigned; true as well where libphonenumber failed.
    public static func isValid(_ text: RawSpan, region: PhoneRegion = .international) -> Bool {
        guard let form = form(of: text), form == .international || region != .international else { return false }
        return unsafe text.withUnsafeBytes { text in
            let characters = unsafe text.baseAddress?.assumingMemoryBound(to: CChar.self)
            return unsafe tidegate_phone_is_valid(
                characters, text.count, CChar(bitPattern: region.first), CChar(bitPattern: region.second)) != 0
        }
    }

    /// As `isValid`, but true as well where only libphonenumber itself could tell: always some 50 ns, whoever wrote the
    /// text.
    static func mayBeValid(_ text: RawSpan, region: PhoneRegion = .international) -> Bool {
        guard let form = form(of: text), form == .international || region != .international else { return false }
        return unsafe text.withUnsafeBytes { text in
            let characters = unsafe text.baseAddress?.assumingMemoryBound(to: CChar.self)
            return unsafe tidegate_phone_may_be_valid(
                characters, text.count, CChar(bitPattern: region.first), CChar(bitPattern: region.second)) != 0
        }
    }

    /// True where the number is valid in international form, or as it is dialled in one of the regions.
    public static func isValid(_ text: RawSpan, regions: [PhoneRegion]) -> Bool {
        guard let form = form(of: text) else { return false }
        if form == .international { return isValid(text, region: .international) }
        for region in regions where isValid(text, region: region) { return true }
        return false
    }

    /// As `isValid`, by libphonenumber's own parser: some twenty microseconds. For comparing.
    package static func isValidSlowly(_ text: RawSpan, region: PhoneRegion = .international) -> Bool {
        guard let form = form(of: text), form == .international || region != .international else { return false }
        return switch judge(text, region) {
        case TIDEGATE_PHONE_VALID, TIDEGATE_PHONE_UNKNOWN: true
        default: false
        }
    }

    /// True where the number has a length that its region has; true as well where libphonenumber failed.
    public static func isPossible(_ text: RawSpan, region: PhoneRegion = .international) -> Bool {
        guard let form = form(of: text), form == .international || region != .international else { return false }
        return judge(text, region) != TIDEGATE_PHONE_NO
    }

    private enum Form {
        case international, national
    }

    /// nil where the text is no candidate: other bytes, fewer than five digits or more than E.164's and a prefix.
    private static func form(of text: RawSpan) -> Form? {
        guard text.byteCount <= maximumLength else { return nil }
        var digits = 0
        var form = Form.national
        for offset in 0..<text.byteCount {
            guard let byte = text.byte(at: offset) else { return nil }
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digits &+= 1
            case UInt8(ascii: "+"):
                guard digits == 0, form == .national else { return nil }
                form = .international
            case UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "("), UInt8(ascii: ")"),
                UInt8(ascii: "/"):
                break
            default: return nil
            }
        }
        return digits >= 5 && digits <= 20 ? form : nil
    }

    private static func judge(_ text: RawSpan, _ region: PhoneRegion) -> tidegate_phone_verdict {
        unsafe text.withUnsafeBytes { text in
            let characters = unsafe text.baseAddress?.assumingMemoryBound(to: CChar.self)
            return unsafe tidegate_phone_judge(
                characters, text.count, CChar(bitPattern: region.first), CChar(bitPattern: region.second))
        }
    }
}

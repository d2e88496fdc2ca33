import CPhoneNumbers

/// A region whose way of dialling a number may be written in.
public struct PhoneRegion: BitwiseCopyable, Sendable, Hashable, CustomStringConvertible {
    let first: UInt8
    let second: UInt8

    /// None: numbers in international form only.
    public static let international = PhoneRegion(UInt8(ascii: "Z"), UInt8(ascii: "Z"))

    /// Those that libphonenumber knows, in the order of their codes.
    public static let known: [PhoneRegion] = {
        var codes = [CChar](repeating: 0, count: 2048)
        let count = unsafe codes.withUnsafeMutableBufferPointer { codes in
            unsafe tidegate_phone_regions(codes.baseAddress, codes.count)
        }
        return (0..<min(count, codes.count / 2)).map { index in
            PhoneRegion(UInt8(bitPattern: codes[index * 2]), UInt8(bitPattern: codes[index * 2 + 1]))
        }
    }()

    /// - Parameter code: two capital letters of ISO 3166-1, such as `DE`; nil where libphonenumber does not know it.
    public init?(_ code: String) {
        let bytes = Array(code.utf8)
        guard bytes.count == 2 else { return nil }
        let region = PhoneRegion(bytes[0], bytes[1])
        guard PhoneRegion.known.contains(region) else { return nil }
        self = region
    }

    private init(_ first: UInt8, _ second: UInt8) {
        self.first = first
        self.second = second
    }

    public var description: String { String(decoding: [first, second], as: UTF8.self) }
}

import Foundation
import Glibc

/// Texts of a form: addresses, ranges, durations, sizes.
public enum TextForms {
    /// `9193-9199`, or one port.
    public static func portRange(_ text: String) -> ClosedRange<UInt16>? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { end in
            number(end).flatMap { UInt16(exactly: $0) }
        }
        guard ends.count <= 2, let low = ends.first ?? nil, let high = ends.last ?? nil, low > 0, low <= high else {
            return nil
        }
        return low...high
    }

    /// The host of a `http` or `https` URL; nil where the text is none, or could be read in two ways.
    package static func host(ofURL text: String) -> String? {
        guard text.hasPrefix("https://") || text.hasPrefix("http://"),
            text.unicodeScalars.allSatisfy({ $0.isASCII && $0.value > 0x20 && $0 != "\\" && $0 != "@" }),
            let host = URL(string: text)?.host(percentEncoded: true), !host.isEmpty
        else { return nil }
        return host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    }

    static func isURL(_ text: String) -> Bool { host(ofURL: text) != nil }

    /// `10.0.0.0/8`, or one address.
    static func isNetwork(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let bytes = address(String(parts[0])) else { return false }
        guard parts.count == 2 else { return true }
        guard let bits = number(parts[1]) else { return false }
        return bits <= bytes.count * 8
    }

    /// An IPv4 or IPv6 address in figures, as the system reads it: 4 or 16 bytes; one mapped into IPv6 is the IPv4 address.
    static func address(_ text: String) -> [UInt8]? {
        var four = in_addr()
        if unsafe inet_pton(AF_INET, text, &four) == 1 { return unsafe withUnsafeBytes(of: &four) { unsafe Array($0) } }
        var six = in6_addr()
        guard unsafe inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        let bytes = unsafe withUnsafeBytes(of: &six) { unsafe [UInt8]($0) }
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        return Array(bytes.prefix(12)) == mapped ? Array(bytes.suffix(4)) : bytes
    }

    /// Where this machine can listen: an address in figures, or `localhost`.
    static func listener(_ host: String) -> [UInt8]? { address(host == "localhost" ? "127.0.0.1" : host) }

    package static func isLoopback(_ host: String) -> Bool {
        guard let bytes = listener(host) else { return false }
        return bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
    }

    /// True where two listeners on one port would meet: the same address, or one of them any.
    static func overlap(_ left: String, _ right: String) -> Bool {
        guard let left = listener(left), let right = listener(right) else { return left == right }
        return left == right || left.allSatisfy { $0 == 0 } || right.allSatisfy { $0 == 0 }
    }

    private static let durations: [(unit: Character, seconds: Int)] = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)]
    private static let sizes: [(unit: String, bytes: Int)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1000), ("B", 1), ("", 1),
    ]

    /// `30s`, `5m`, `2h`, `30d`.
    public static func seconds(_ text: String) -> Int? {
        guard let unit = text.last, let factor = durations.first(where: { $0.unit == unit })?.seconds else {
            return nil
        }
        return number(text.dropLast(), times: factor)
    }

    /// `64KiB`, `10GiB`, `1048576`.
    public static func bytes(_ text: String) -> Int? {
        guard let (unit, factor) = sizes.first(where: { text.hasSuffix($0.unit) }) else { return nil }
        return number(text.dropLast(unit.count), times: factor)
    }

    /// Seconds in the biggest unit that leaves no rest.
    static func duration(_ seconds: Int) -> String {
        let fitting = durations.first { seconds != 0 && seconds.isMultiple(of: $0.seconds) }
        return fitting.map { "\(seconds / $0.seconds)\($0.unit)" } ?? "\(seconds)s"
    }

    /// Bytes in the biggest unit that leaves no rest.
    static func size(_ bytes: Int) -> String {
        let fitting = sizes.first { bytes != 0 && bytes.isMultiple(of: $0.bytes) }
        return fitting.map { "\(bytes / $0.bytes)\($0.unit)" } ?? "\(bytes)"
    }

    /// A decimal number above zero, of at most 15 figures on each side: `10`, `0.25`.
    static func isWidth(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count <= 2 && parts.allSatisfy { 1...15 ~= $0.count && $0.utf8.allSatisfy { 48...57 ~= $0 } }
            && text.contains { $0 != "0" && $0 != "." }
    }

    /// Figures alone: neither sign nor blank. nil beyond what an Int holds.
    private static func number(_ text: some StringProtocol, times factor: Int = 1) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ 48...57 ~= $0 }), let number = Int(text) else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }
}

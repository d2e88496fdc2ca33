import CUring
import Glibc

/// An IPv4 or IPv6 address and a port, numeric.
public struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
    /// 4 or 16 bytes, network order.
    public let bytes: [UInt8]
    public var port: UInt16

    public init?(bytes: [UInt8], port: UInt16) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
        self.port = port
    }

    /// - Parameter host: a numeric address, IPv6 with or without brackets.
    public init?(numeric host: String, port: UInt16) {
        var text = host
        if text.hasPrefix("["), text.hasSuffix("]") { text = String(text.dropFirst().dropLast()) }
        var four = in_addr()
        if unsafe inet_pton(AF_INET, text, &four) == 1 {
            bytes = unsafe withUnsafeBytes(of: &four) { unsafe [UInt8]($0) }
        } else {
            var six = in6_addr()
            guard unsafe inet_pton(AF_INET6, text, &six) == 1 else { return nil }
            bytes = unsafe withUnsafeBytes(of: &six) { unsafe [UInt8]($0) }
        }
        self.port = port
    }

    public var isIPv6: Bool { bytes.count == 16 }

    /// The address alone; an IPv4 address mapped into IPv6 is shown as IPv4.
    public var host: String {
        let plain = unmapped
        if plain.count == 4 { return plain.map { "\($0)" }.joined(separator: ".") }
        var text = [CChar](repeating: 0, count: 64)
        let written = unsafe bytes.withUnsafeBytes { raw in
            unsafe inet_ntop(AF_INET6, raw.baseAddress, &text, 64) != nil
        }
        guard written else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The bytes, an IPv4 address mapped into IPv6 as IPv4.
    var unmapped: [UInt8] {
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        return bytes.count == 16 && Array(bytes.prefix(12)) == mapped ? Array(bytes.suffix(4)) : bytes
    }

    /// `127.0.0.1:9092`, `[::1]:9092`.
    public var description: String {
        let host = host
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    var family: CInt { isIPv6 ? AF_INET6 : AF_INET }

    /// Fills a socket address of the system.
    ///
    /// - Returns: its length.
    func fill(_ storage: inout sockaddr_storage) -> socklen_t {
        storage = sockaddr_storage()
        return unsafe withUnsafeMutableBytes(of: &storage) { raw in
            if isIPv6 {
                var six = sockaddr_in6()
                six.sin6_family = sa_family_t(AF_INET6)
                six.sin6_port = port.bigEndian
                unsafe withUnsafeMutableBytes(of: &six.sin6_addr) { unsafe $0.copyBytes(from: bytes) }
                unsafe raw.storeBytes(of: six, as: sockaddr_in6.self)
                return socklen_t(MemoryLayout<sockaddr_in6>.size)
            }
            var four = sockaddr_in()
            four.sin_family = sa_family_t(AF_INET)
            four.sin_port = port.bigEndian
            unsafe withUnsafeMutableBytes(of: &four.sin_addr) { unsafe $0.copyBytes(from: bytes) }
            unsafe raw.storeBytes(of: four, as: sockaddr_in.self)
            return socklen_t(MemoryLayout<sockaddr_in>.size)
        }
    }

    /// Reads a socket address of the system.
    init?(_ storage: sockaddr_storage) {
        var storage = storage
        switch CInt(storage.ss_family) {
        case AF_INET:
            var four = unsafe withUnsafeBytes(of: &storage) { unsafe $0.load(as: sockaddr_in.self) }
            port = UInt16(bigEndian: four.sin_port)
            bytes = unsafe withUnsafeBytes(of: &four.sin_addr) { unsafe [UInt8]($0) }
        case AF_INET6:
            var six = unsafe withUnsafeBytes(of: &storage) { unsafe $0.load(as: sockaddr_in6.self) }
            port = UInt16(bigEndian: six.sin6_port)
            bytes = unsafe withUnsafeBytes(of: &six.sin6_addr) { unsafe [UInt8]($0) }
        default: return nil
        }
    }
}

/// `10.0.0.0/8`, or one address.
public struct Network: Sendable, Hashable {
    private let bytes: [UInt8]
    private let prefix: Int

    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = SocketAddress(numeric: String(parts[0]), port: 0) else { return nil }
        bytes = address.unmapped
        if parts.count == 2 {
            guard let length = Int(parts[1]), (0...(bytes.count * 8)).contains(length) else { return nil }
            prefix = length
        } else {
            prefix = bytes.count * 8
        }
    }

    public func contains(_ address: SocketAddress) -> Bool {
        let other = address.unmapped
        guard other.count == bytes.count else { return false }
        var bits = prefix
        for (ours, theirs) in zip(bytes, other) {
            if bits <= 0 { return true }
            let mask: UInt8 = bits >= 8 ? 0xFF : ~(0xFF >> UInt8(bits))
            if ours & mask != theirs & mask { return false }
            bits -= 8
        }
        return true
    }
}

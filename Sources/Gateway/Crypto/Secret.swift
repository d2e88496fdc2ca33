import COpenSSL

/// Key material: wiped when nobody needs it any more, and never printed.
public final class Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    // Only the deinitialiser changes it.
    nonisolated(unsafe) private var material: [UInt8]

    public init(_ bytes: [UInt8]) { unsafe material = bytes }

    deinit {
        // The array is this object's alone unless somebody keeps a copy: then the copy is not this object's to wipe.
        unsafe material.withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
    }

    public var bytes: [UInt8] { unsafe material }
    public var count: Int { unsafe material.count }
    public var description: String { "(secret)" }
    public var debugDescription: String { "(secret)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

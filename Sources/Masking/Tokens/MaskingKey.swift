import TidegateCrypto

/// A named key for tokens, in versions: the newest makes tokens, all of them open and recognise what they made.
///
/// No key that is used is a version's secret itself: each (version, purpose, domain) has one derived by HKDF-SHA256
/// (RFC 5869). The name is not part of that, so that a key may be renamed.
public final class MaskingKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The fewest bytes of a secret.
    public static let minimumSecretBytes = 32
    public static let versionNumbers = 1...999_999

    public let name: String
    /// The newest first; never empty.
    public let versions: [Int]
    private let secrets: [Int: Secret]

    /// - Parameter versions: number, from 1, to secret: random bytes, not a password.
    /// - Throws: what is wrong with the first version that is wrong.
    public init(name: String, versions: [Int: [UInt8]]) throws(TokenSettingsError) {
        guard !name.isEmpty else {
            throw TokenSettingsError("a masking key has no name", suggestion: "name: customers")
        }
        guard !versions.isEmpty else {
            throw TokenSettingsError(
                "masking key '\(name)' has no version", suggestion: "one version at least, numbered from 1")
        }
        let generated = "32 random bytes, such as from: openssl rand -base64 32"
        var seen: [[UInt8]: Int] = [:]
        for (number, secret) in versions.sorted(by: { $0.key < $1.key }) {
            guard MaskingKey.versionNumbers.contains(number) else {
                throw TokenSettingsError(
                    "masking key '\(name)' has version \(number)", suggestion: "a number from 1 to 999999")
            }
            guard secret.count >= MaskingKey.minimumSecretBytes else {
                throw TokenSettingsError(
                    "version \(number) of masking key '\(name)' has \(secret.count) bytes, fewer than 32",
                    suggestion: generated)
            }
            guard Set(secret).count >= 8 else {
                throw TokenSettingsError(
                    "version \(number) of masking key '\(name)' repeats a few bytes and could be guessed",
                    suggestion: generated)
            }
            if let other = seen.updateValue(number, forKey: secret) {
                throw TokenSettingsError(
                    "versions \(other) and \(number) of masking key '\(name)' have the same secret",
                    suggestion: "a new secret for each version; then the older one can be given up")
            }
        }
        self.name = name
        self.versions = versions.keys.sorted(by: >)
        secrets = versions.mapValues { Secret($0) }
    }

    /// What a derived key is for.
    enum Purpose: String {
        case opaque
        case opaqueCheck = "opaque-check"
        case preserving
        case reversible
        case sealed
        case dateShift = "date-shift"
    }

    /// - Returns: a key that no other version, purpose or domain has; empty where the version is not known.
    func derive(_ purpose: Purpose, domain: String, version: Int, count: Int) -> [UInt8] {
        guard let secret = secrets[version] else { return [] }
        // A purpose has no zero byte and a number eight bytes, so no two of these texts are the same.
        let number = (0..<8).map { UInt8(truncatingIfNeeded: version >> (56 - 8 * $0)) }
        let info =
            Array("tidegate tokens 1".utf8) + [0] + Array(purpose.rawValue.utf8) + [0] + number + Array(domain.utf8)
        return KeyDerivation.hkdf(secret: secret.bytes, info: info, count: count)
    }

    public var description: String { "masking key '\(name)' (versions \(versions.reversed()))" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["name": name, "versions": versions]) }
}

import TidegateCrypto

/// The chain's hash.
enum ChainHash {
    /// SHA-256 of a digest followed by a line.
    static func digest(_ previous: [UInt8], _ line: ArraySlice<UInt8>) -> [UInt8] {
        HashAlgorithm.sha256.hash(previous + line)
    }
}

import TestSupport
import Testing
import TidegateCrypto

/// Against the standard's steps on integers of any size (`Oracles/ff1.py`): every radix, length and key size, carries
/// that go all the way.
@Suite(.enabled(if: PythonOracle.isThere, PythonOracle.lacking))
struct FF1OracleTests {
    @Test(arguments: [1, 20_261_126])
    func `random numerals are encrypted as the standard says, and decrypted again`(seed: Int) throws {
        let lines = try PythonOracle.lines(of: "Tests/Gateway/Crypto/Oracles/ff1.py", [String(seed), "400"])
        #expect(lines.count == 400)
        for line in lines {
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            try #require(parts.count == 5)
            let radix = try #require(Int(parts[1]))
            let cipher = try #require(FF1(key: CipherVectors.bytes(parts[0]), radix: radix))
            let tweak = CipherVectors.bytes(parts[2])
            let plain = parts[3].split(separator: ",").compactMap { UInt8($0) }
            let encrypted = parts[4].split(separator: ",").compactMap { UInt8($0) }
            #expect(cipher.run(plain, tweak: tweak, isForward: true) == encrypted, "\(line)")
            #expect(cipher.run(encrypted, tweak: tweak, isForward: false) == plain, "\(line)")
        }
    }
}

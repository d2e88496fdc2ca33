import TestSupport
import Testing
import TidegateDetection
import TidegateWire

struct ChecksumTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        var checksum: Checksum
        var good: [String]
        var bad: [String]
        var testDescription: String { checksum.rawValue }
    }

    /// From the formats' own publications, and from what everybody prints as an example.
    static let samples: [Sample] = [
        Sample(
            checksum: .luhn, good: ["4111111111111111", "378282246310005", "79927398713", "00"],
            bad: ["4111111111111112", "", "7", "4111-1111", "79927398710"]),
        Sample(
            checksum: .iban,
            good: [
                "GB29NWBK60161331926819", "DE89370400440532013000", "FR1420041010050500013M02606",
                "NO9386011117947", "MT84MALT011000012345MTLCAST001S", "BR1800360305000010009795493C1",
            ],
            bad: [
                "GB29NWBK60161331926818", "GB29NWBK6016133192681", "DE8937040044053201300", "XX89370400440532013000",
                "gb29nwbk60161331926819", "DEA9370400440532013000", "FR1420041010050500013M0260A",
            ]),
        Sample(
            checksum: .usRoutingNumber, good: ["021000021", "111000025", "322271627"],
            bad: ["021000022", "000000000", "02100002", "530000007"]),
        Sample(
            checksum: .usProviderIdentifier, good: ["1234567893", "1245319599"],
            bad: ["1234567890", "3234567899", "123456789"]),
        Sample(
            checksum: .usMedicareIdentifier, good: ["1EG4TE5MK73", "1EG4TE5MK72"],
            bad: ["0EG4TE5MK73", "1SG4TE5MK73", "1EG4TE5MK7", "1EG4TE5MK7A", "1eg4te5mk73"]),
        Sample(
            checksum: .usDrugRegistration, good: ["AB1234563", "F91234563", "BB1388568"],
            bad: ["AB1234564", "IB1234563", "A81234563", "AB123456"]),
        Sample(
            checksum: .usSocialSecurity, good: ["536904399", "899123456", "001010001"],
            bad: [
                "000123456", "666123456", "900123456", "987654321", "123004567", "123450000", "078051120", "219099999",
                "457555462", "53690439", "5369043999",
            ]),
        Sample(
            checksum: .usTaxpayer, good: ["912501234", "912703456", "999880000", "912941234"],
            bad: ["812701234", "912491234", "912661234", "912891234", "912931234"]),
        Sample(checksum: .ukHealthService, good: ["9434765919", "4010232137"], bad: ["9434765918", "0000000000"]),
        Sample(
            checksum: .ukNationalInsurance, good: ["AB123456C", "JG103759A"],
            bad: ["QQ123456C", "AB123456E", "BG123456A", "AO123456A", "DA123456A", "AB12345C", "AB123456"]),
        Sample(
            checksum: .canadaSocialInsurance, good: ["193456787", "130692544"],
            bad: ["046454286", "193456788", "807800006"]),
        Sample(
            checksum: .indiaAadhaar, good: ["234123412346"],
            bad: ["234123412347", "134123412346", "222222222222", "643343121"]),
        Sample(
            checksum: .indiaAccount, good: ["ACUPA7085R", "AAPPV8261K"],
            bad: ["ACUPA0000R", "ABMXA3211G", "ACUPA7085", "234123412347"]),
        Sample(
            checksum: .polandPesel, good: ["44051401359", "44051401458", "02070803628"],
            bad: ["44051401358", "02381307589", "44053201356"]),
        Sample(
            checksum: .spainTax,
            good: ["54362315K", "X2482300W", "X5253868R", "A58818501", "K0867756N", "J99216582", "12345678Z"],
            bad: ["54362315Z", "X2482300A", "12345678A", "1234567Z", "A58818502"]),
        Sample(
            checksum: .italyFiscalCode,
            good: ["RCCMNL83S18D969H", "CNTCHR83T41D969D", "MRTMTT25D09F205Z", "MRTMTT91D08F205J"],
            bad: ["RCCMNL83S18D969I", "RCCMNL83S18D969", "CNTCHR83T71D969", "RCCMNL83F18D969H"]),
        Sample(
            checksum: .germanyTax, good: ["36574261809", "86095742719", "65929970489", "57549285017"],
            bad: ["36574261808", "36554266806", "65299970480", "06574261809"]),
        Sample(
            checksum: .singaporeIdentity, good: ["S1234567D", "T1234567J", "F1234567N", "G1234567X", "M1234567K"],
            bad: ["S1234567A", "T1234567D", "A1234567D", "S123456D"]),
        Sample(
            checksum: .brazilPerson, good: ["39053344705", "11144477735"],
            bad: ["23100299900", "11111111111", "00000000000", "3905334470"]),
        Sample(
            checksum: .brazilCompany, good: ["16727230000197", "11222333000181", "12ABC34501DE35"],
            bad: ["16727230000198", "00000000000000", "12ABC34501DE36", "1672723000019A"]),
        Sample(
            checksum: .chinaResident, good: ["360426199101010071", "11010519491231002X"],
            bad: ["360426199101010072", "11010519491331002X", "110105194912310021", "440524188001010014"]),
        Sample(
            checksum: .netherlandsCitizen, good: ["111222333", "123456782"],
            bad: ["111252333", "000000000", "12345678"]),
        Sample(
            checksum: .franceRegistration, good: ["295109912611193", "253072B07300470", "253072A07300443"],
            bad: ["295109912611199", "253072A07300470", "995109912611193", "6546546546546703"]),
        Sample(
            checksum: .bitcoinBase58,
            good: [
                "1NEDqZPvTWRaoho48qXuLLsrYomMXPABfD", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
                "1111111111111111111114oLvT2",
            ],
            bad: [
                "1NEDqZPvTWRaoho48qXuLLsrYomMXPABfE", "1111111111111111111115oLvT2", "111111111111111111114oLvT2",
                "11111111111111111111114oLvT2", "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn",
                "0NEDqZPvTWRaoho48qXuLLsrYomMXPABfD",
            ]),
        Sample(
            checksum: .bitcoinBech32,
            good: [
                "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
                "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y", "BC1SW50QGDZ25J",
                "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs",
                "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
            ],
            bad: [  // BIP 350's list of invalid ones
                "tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut",
                "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
                "BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL",
                "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
                "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
                "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R", "bc1pw5dgrnzv",
                "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
                "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
                "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf", "bc1gmk9yu",
                "bc1Qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            ]),
    ]

    @Test(arguments: samples)
    func `known identifiers are accepted and known others are not`(sample: Sample) {
        for text in sample.good { #expect(sample.checksum.accepts(text), "\(text)") }
        for text in sample.bad { #expect(!sample.checksum.accepts(text), "\(text)") }
    }

    @Test func `every checksum has samples, and a name that a configuration can say`() {
        #expect(Set(ChecksumTests.samples.map(\.checksum)) == Set(Checksum.allCases))
        for checksum in Checksum.allCases {
            #expect(checksum.rawValue.utf8.allSatisfy { $0 >= 97 && $0 <= 122 || $0 >= 48 && $0 <= 57 || $0 == 45 })
        }
    }

    @Test(arguments: samples)
    func `bytes of any kind and any length are answered`(sample: Sample) {
        var generator = SeededGenerator(seed: 6)
        for _ in 0..<20_000 {
            var text = Array((sample.good.randomElement(using: &generator) ?? "").utf8)
            for _ in 0..<Int.random(in: 1...3, using: &generator) where !text.isEmpty {
                let at = Int.random(in: 0..<text.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: text[at] = UInt8.random(in: .min ... .max, using: &generator)
                case 1: text.remove(at: at)
                case 2: text.insert(UInt8.random(in: 128...255, using: &generator), at: at)
                default: text[at] ^= 0x80
                }
            }
            let isASCII = text.allSatisfy { $0 < 128 }
            let isAccepted = sample.checksum.accepts(text)
            #expect(isASCII || !isAccepted)
        }
        let long = [UInt8](repeating: UInt8(ascii: "9"), count: 100_000)
        #expect(sample.checksum == .luhn || !sample.checksum.accepts(long))
        #expect(!sample.checksum.accepts([UInt8]()))
    }

    @Test func `one changed digit is always noticed where the arithmetic promises it`() {
        let promised: [Checksum] = [
            .luhn, .iban, .usRoutingNumber, .usProviderIdentifier, .ukHealthService, .indiaAadhaar, .polandPesel,
            .germanyTax, .chinaResident, .netherlandsCitizen, .franceRegistration, .canadaSocialInsurance,
        ]
        for sample in ChecksumTests.samples where promised.contains(sample.checksum) {
            for text in sample.good {
                for (at, byte) in text.utf8.enumerated() where byte >= 48 && byte <= 57 {
                    for other in UInt8(48)...57 where other != byte {
                        var changed = Array(text.utf8)
                        changed[at] = other
                        #expect(!sample.checksum.accepts(changed), "\(sample.checksum): \(text) at \(at)")
                    }
                }
            }
        }
    }
}

import Foundation
import TestSupport
import Testing
import TidegateDetection
import TidegateWire

/// The day of birth of a codice fiscale; letters may stand for digits.
private func fiscalDay(_ text: String) -> Int {
    let letters = Array("LMNPQRSTUV")
    var day = 0
    for character in text.dropFirst(9).prefix(2) {
        day = day * 10 + (character.wholeNumberValue ?? letters.firstIndex(of: character) ?? 0)
    }
    return day
}

private func hasThreeInARow(_ text: Substring) -> Bool {
    let digits = Array(text)
    return digits.count > 2 && (2..<digits.count).contains { Set(digits[($0 - 2)...$0]).count == 1 }
}

/// Where a judge and the gateway may differ, and why the gateway is right.
private struct Difference: Sendable {
    /// Checksum and judge, as the script names them.
    var judged: String
    var reason: String
    /// What the gateway says where they differ.
    var accepts: Bool
    var holds: @Sendable (String) -> Bool

    init(_ judged: String, _ reason: String, accepts: Bool, _ holds: @escaping @Sendable (String) -> Bool) {
        self.judged = judged
        self.reason = reason
        self.accepts = accepts
        self.holds = holds
    }

    static let all: [Difference] = [
        Difference("luhn/stdnum", "one digit alone has no check digit", accepts: false) { $0.count == 1 },
        Difference("iban/schwifty", "Brazil's bank is of digits, its account type a letter (SWIFT)", accepts: false) {
            let text = Array($0)
            guard $0.hasPrefix("BR"), text.count == 29 else { return false }
            return text[27].isNumber || text[4..<12].contains { $0.isLetter }
        },
        Difference("iban/stdnum", "no bank computes 00, 01 or 99", accepts: false) {
            ["00", "01", "99"].contains($0.dropFirst(2).prefix(2))
        },
        Difference("iban/stdnum", "countries that its table does not have", accepts: true) {
            let countries = """
                AO AX BF BJ BL CF CG CI CM CV DZ GA GF GG GP GQ GW IM IR JE KM MA MF MG ML MQ MZ NC NE PF PM RE SN TD TF TG
                WF YT
                """
            return countries.split { $0 == " " || $0 == "\n" }.contains($0.prefix(2))
        },
        Difference("us-aba/stdnum", "beginnings that nobody is assigned", accepts: false) {
            guard let range = Int($0.prefix(2)) else { return false }
            return ![0...12, 21...32, 61...72, 80...80].contains { $0.contains(range) } || $0 == "000000000"
        },
        Difference("us-itin/stdnum", "groups 50 to 65 are in use since 2014", accepts: true) {
            (50...65).contains(Int($0.dropFirst(3).prefix(2)) ?? 0)
        },
        Difference("uk-nhs/stdnum", "all zeros are no number", accepts: false) { $0 == "0000000000" },
        Difference("it-codice-fiscale/stdnum", "a company's eleven digits are another number", accepts: false) {
            $0.count == 11
        },
        Difference("it-codice-fiscale/stdnum", "days are 1 to 31 and 41 to 71", accepts: false) {
            fiscalDay($0) > 71
        },
        Difference("de-tax-id/stdnum", "three equal digits are never in a row", accepts: false) {
            hasThreeInARow($0.prefix(10))
        },
        Difference("es-nif/stdnum", "a country's prefix is not part of the number", accepts: false) {
            $0.hasPrefix("ES") && $0.count == 11
        },
        Difference("br-cpf/stdnum", "one digit eleven times is not issued", accepts: false) { Set($0).count == 1 },
        Difference("cn-resident-id/stdnum", "a citizen's birth lies between 1900 and 2099", accepts: false) {
            !(1900..<2100).contains(Int($0.dropFirst(6).prefix(4)) ?? 0)
        },
        Difference("cn-resident-id/stdnum", "there is no such province", accepts: false) {
            let provinces = """
                11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83 91
                """
            return !provinces.split { $0 == " " || $0 == "\n" }.contains($0.prefix(2))
        },
        Difference("nl-bsn/stdnum", "it puts zeros before numbers that are too short", accepts: false) { $0.count < 9 },
        Difference("fr-nir/stdnum", "a first digit that stands for nobody", accepts: false) {
            "0569".contains($0.first ?? " ")
        },
        Difference("fr-nir/stdnum", "a month that stands for nothing", accepts: false) {
            let month = Int($0.dropFirst(3).prefix(2)) ?? 0
            return month == 0 || (13...19).contains(month) || (43...49).contains(month)
        },
        Difference("btc-base58/stdnum", "the main net has versions 0 and 5 only", accepts: false) { $0.first == "3" },
        Difference("btc-bech32/stdnum", "it takes other kinds of addresses too", accepts: false) {
            !$0.lowercased().hasPrefix("bc1")
        },
        Difference("btc-bech32/stdnum", "capitals and small letters are not mixed (BIP 173)", accepts: false) {
            $0.lowercased() != $0 && $0.uppercased() != $0
        },
        Difference("btc-bech32/stdnum", "from version 1 on the checksum is Bech32m (BIP 350)", accepts: false) {
            $0.dropFirst(3).first.map { $0 != "q" && $0 != "Q" } ?? false
        },
        Difference("btc-bech32/stdnum", "it does not know Bech32m", accepts: true) {
            $0.dropFirst(3).first.map { $0 != "q" && $0 != "Q" } ?? false
        },
    ]
}

@Suite(.enabled(if: PythonOracle.isThere, PythonOracle.lacking))
struct ChecksumOracleTests {
    @Test(arguments: [1, 20_261_126])
    func `every checksum says what python-stdnum, schwifty and the published formats say`(seed: Int) throws {
        let lines = try PythonOracle.lines(of: "Tests/Masking/Detection/Oracles/checksums.py", [String(seed), "300"])
        var judged: [String: (accepted: Int, refused: Int)] = [:]
        var used = Set<String>()
        for line in lines {
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
            try #require(parts.count == 3, "\(line)")
            let name = String(parts[0])
            let checksum = try #require(Checksum(rawValue: String(name.prefix { $0 != "/" })), "\(name)")
            let candidate = String(parts[1])
            let expected = parts[2] == "1"
            let actual = checksum.accepts(candidate)
            if expected {
                judged[name, default: (0, 0)].accepted += 1
            } else {
                judged[name, default: (0, 0)].refused += 1
            }
            if actual == expected { continue }
            let reason = Difference.all.first { $0.judged == name && $0.accepts == actual && $0.holds(candidate) }
            guard let reason else {
                Issue.record("\(name): '\(candidate)' is \(actual ? "accepted" : "refused"), and the judge differs")
                continue
            }
            used.insert(reason.judged + ": " + reason.reason)
        }
        #expect(Set(judged.keys.map { $0.prefix { $0 != "/" } }).count == Checksum.allCases.count)
        for (name, counts) in judged {
            #expect(counts.accepted >= 80 && counts.refused >= 1000, "\(name): \(counts)")
        }
        if seed == 1 {
            let unused = Difference.all.map { $0.judged + ": " + $0.reason }.filter { !used.contains($0) }
            #expect(unused.isEmpty, "differences that no candidate shows")
        }
    }
}

extension Checksum {
    func accepts(_ text: String) -> Bool { accepts(Array(text.utf8)) }
    func accepts(_ text: [UInt8]) -> Bool { accepts(text.span.bytes) }
}

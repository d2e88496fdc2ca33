/// Kinds of documents that masking is measured on; each kind is the same on every run.
enum Documents: String, CaseIterable {
    /// Orders of 667 bytes, with one e-mail address, card number and phone number each.
    case orders
    /// Customers: hardly a member that is not personal.
    case dense
    /// What a service writes about itself: times, UUIDs, counts, addresses of code; nothing personal.
    case telemetry
    /// Sentences, and nothing personal in them.
    case prose

    static let count = 96

    var all: [[UInt8]] {
        (0..<Documents.count).map { number in
            switch self {
            case .orders: Orders.document(number)
            case .dense: Documents.customer(number)
            case .telemetry: Documents.event(number)
            case .prose: Documents.note(number)
            }
        }
    }

    private static func customer(_ number: Int) -> [UInt8] {
        var chance = SplitMix(state: UInt64(number) &+ 1 << 32)
        let name = "\(chance.word())\(chance.number(below: 900))"
        return Array(
            """
            {"customer":{"email":"\(name)@example.com","phone":"+43 664 \(100_0000 + chance.number(below: 899_9999))",\
            "ssn":"\(100 + chance.number(below: 565))-\(chance.twoDigits())-\(1000 + chance.number(below: 8999))",\
            "dateOfBirth":"19\(chance.twoDigits())-0\(1 + chance.number(below: 9))-1\(chance.number(below: 9))"},\
            "payment":{"cardNumber":"\(chance.card())","iban":"\(chance.account())"},\
            "network":{"ip":"203.0.113.\(chance.number(below: 255))","mac":"00:1a:2b:\(chance.hex(2)):\(chance.hex(2)):\(chance.hex(2))"},\
            "comment":"please write to \(chance.word()).\(chance.word())@example.org or charge card \(chance.card()) instead",\
            "contacts":[{"email":"\(chance.word())@example.net"},{"email":"\(chance.word())@example.net"}]}
            """.utf8)
    }

    private static func event(_ number: Int) -> [UInt8] {
        var chance = SplitMix(state: UInt64(number) &+ 2 << 32)
        let trace = chance.hex(32)
        return Array(
            """
            {"time":"2026-11-24T12:\(chance.twoDigits()):\(chance.twoDigits()).\(100 + chance.number(below: 899))Z","level":"info",\
            "service":"\(chance.word())-\(chance.word())","instance":"\(chance.hex(8))-\(chance.hex(4))-4\(chance.hex(3))-a\(chance.hex(3))-\(chance.hex(12))",\
            "event":"\(chance.word()).\(chance.word())","trace":{"id":"\(trace)","sampled":true,"parent":null},\
            "request":{"method":"POST","route":"/\(chance.word())/:id/\(chance.word())","status":20\(chance.number(below: 9)),\
            "took":\(chance.number(below: 900)).\(chance.number(below: 99)),"bytes":\(chance.number(below: 99_999))},\
            "queue":{"depth":\(chance.number(below: 900)),"workers":\(chance.number(below: 64)),"paused":false},\
            "message":"\(chance.words(24))"}
            """.utf8)
    }

    private static func note(_ number: Int) -> [UInt8] {
        var chance = SplitMix(state: UInt64(number) &+ 3 << 32)
        return Array(
            """
            {"title":"\(chance.words(5))","body":"\(chance.words(50)). \(chance.words(20))","likes":\(chance.number(below: 900)),\
            "tags":["\(chance.word())","\(chance.word())"],"isPublic":true,"reply":{"body":"\(chance.words(18))","likes":\(chance.number(below: 90))}}
            """.utf8)
    }
}

extension SplitMix {
    private static let vocabulary = """
        harbour walnut copper meadow signal window lantern gravel velvet orchard thunder pebble marble winter silver \
        garden candle timber saddle mirror basket anchor feather ribbon canyon valley hammer kettle needle pillow \
        rocket saturn tunnel violet wagon yellow zephyr acorn breeze cactus
        """.split(separator: " ").map(String.init)

    mutating func word() -> String {
        SplitMix.vocabulary[Int(number(below: UInt64(SplitMix.vocabulary.count)))]
    }

    mutating func words(_ count: Int) -> String { (0..<count).map { _ in word() }.joined(separator: " ") }

    /// A card number of 16 digits that passes Luhn's check.
    mutating func card() -> String {
        var digits = [4, 1, 1, 1] + (0..<11).map { _ in Int(number(below: 10)) }
        let sum = digits.reversed().enumerated().reduce(0) { sum, entry in
            let value = entry.offset % 2 == 0 ? entry.element * 2 : entry.element
            return sum + (value > 9 ? value - 9 : value)
        }
        digits.append((10 - sum % 10) % 10)
        return digits.map(String.init).joined()
    }

    /// A German IBAN with the right check digits (ISO 13616).
    mutating func account() -> String {
        let body = (0..<18).map { _ in String(number(below: 10)) }.joined()
        let rest = (body + "131400").utf8.reduce(0) { ($0 * 10 + Int($1) - 48) % 97 }
        let check = 98 - rest
        return "DE\(check < 10 ? "0" : "")\(check)\(body)"
    }
}

/// The documents that are masked and compressed: orders as the demo and the end-to-end benchmark have them.
enum Orders {
    /// An order of 667 bytes, the length that the aims for masking speak of; the same for the same number.
    static func document(_ number: Int) -> [UInt8] {
        var chance = SplitMix(state: UInt64(number))
        let customer = chance.number(below: 1_000_000_000)
        var text = """
            {"id":"ord-\(chance.hex(12))","created":"2026-11-24T12:\(chance.twoDigits()):\(chance.twoDigits())Z","customer":\
            {"name":"Customer \(customer)","email":"c\(customer)@example.com","phone":"+43\(chance.number(below: 999_999_999))"},\
            "payment":{"method":"card","currency":"EUR","total":\(chance.number(below: 90_000)),"card":{"number":\
            "41\(chance.twoDigits())\(chance.twoDigits())\(chance.twoDigits())\(chance.twoDigits())\(chance.twoDigits())\
            \(chance.twoDigits())\(chance.twoDigits())","expires":"11/29"}},"shipping":{"address":{"street":\
            "Karlsplatz \(chance.twoDigits())","city":"Wien","zip":"10\(chance.twoDigits())","country":"AT"}},"items":[
            """
        repeat {
            if text.utf8.last == UInt8(ascii: "}") { text += "," }
            text += """
                {"sku":"SKU-\(chance.hex(8))","quantity":\(chance.number(below: 9)),"price":\(chance.number(below: 99_999))}
                """
        } while text.utf8.count < 560
        text += "],\"note\":\""
        text += chance.hex(667 - text.utf8.count - 2) + "\"}"
        return Array(text.utf8)
    }

    /// What a batch of records holds: `count` orders one after the other.
    static func documents(_ count: Int) -> [UInt8] { (0..<count).flatMap { document($0) } }
}

/// Sebastiano Vigna's SplitMix64: the same documents on every run.
struct SplitMix {
    private var state: UInt64

    init(state: UInt64) { self.state = state }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func number(below limit: UInt64) -> UInt64 { next() % limit }

    mutating func twoDigits() -> String { String(10 + number(below: 50)) }

    mutating func hex(_ count: Int) -> String {
        var text = ""
        while text.utf8.count < count { text += String(next() | 1 << 63, radix: 16) }
        return String(text.prefix(count))
    }
}

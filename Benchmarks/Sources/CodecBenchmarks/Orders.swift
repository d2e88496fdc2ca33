/// The documents that are masked and compressed: orders as the demo and the end-to-end benchmark have them.
enum Orders {
    /// An order of 667 bytes, the length that the aims for masking speak of.
    static func document(_ number: Int) -> [UInt8] {
        let digits = String(1_000_000 + number % 1_000_000)
        var text = """
            {"id":"ord-\(digits)","created":"2026-11-24T12:00:00Z","customer":{"name":"Ada Lovelace","email":\
            "ada.\(digits)@example.com","phone":"+431\(digits)","segment":"retail"},"payment":{"method":"card","currency":\
            "EUR","total":249.\(number % 10)0,"card":{"number":"411111111\(digits)","expires":"11/29","holder":"A Lovelace"}},\
            "shipping":{"method":"parcel","address":{"street":"Karlsplatz \(number % 90 + 10)","city":"Wien","zip":"1040",\
            "country":"AT"}},"items":[{"sku":"SKU-\(digits)","name":"Espresso cups, set of six","quantity":2,"price":39.90},\
            {"sku":"SKU-7\(digits)","name":"Grinder","quantity":1,"price":169.90}],"tags":["gift","express"],"note":"
            """
        let room = 667 - text.utf8.count - 2
        precondition(room >= 0, "the order is too long")
        text += String(repeating: "please ring twice; ", count: room / 19 + 1).prefix(room) + "\"}"
        return Array(text.utf8)
    }

    /// What a batch of records holds: `count` orders one after the other.
    static func documents(_ count: Int) -> [UInt8] { (0..<count).flatMap { document($0 &* 7_919) } }
}

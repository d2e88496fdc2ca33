/// Orders as a shop would write them to a topic: the same for the same seed.
///
/// Names and addresses are made up, e-mails end in domains that RFC 2606 reserves, cards are numbers with a right check
/// digit (Luhn) under prefixes that card networks keep for tests.
public struct SampleOrders: Sendable {
    private var random: SplitMix64

    public init(seed: UInt64 = 20_261_124) { random = SplitMix64(seed) }

    public struct Order: Sendable {
        public var id: String
        /// One JSON object.
        public var json: String
    }

    private static let people = [
        ("Ada", "Novak"), ("Grace", "Hofer"), ("Alan", "Berger"), ("Edsger", "Visser"), ("Barbara", "Rossi"),
        ("Donald", "Klein"), ("Radia", "Lindgren"), ("Leslie", "Moreau"), ("Frances", "Costa"), ("Tony", "Walsh"),
    ]
    private static let places = [
        ("Karlsplatz", "Wien", "1040", "AT"), ("Via Roma", "Torino", "10121", "IT"),
        ("Rue de Rivoli", "Paris", "75004", "FR"), ("Kungsgatan", "Stockholm", "11143", "SE"),
        ("Gran Vía", "Madrid", "28013", "ES"), ("Main Street", "Galway", "H91 A2C3", "IE"),
    ]
    private static let goods = [
        ("SKU-1001", "Espresso machine", 189_90), ("SKU-1002", "Running shoes", 79_00),
        ("SKU-1003", "Desk lamp", 34_50), ("SKU-1004", "Rain jacket", 119_00), ("SKU-1005", "Paperback", 12_99),
        ("SKU-1006", "Headphones", 149_00),
    ]
    private static let cardPrefixes = ["411111", "555555", "222300", "400000"]

    public mutating func next(_ number: Int) -> Order {
        let id = "ord-\(SampleOrders.padded(number, 6))"
        let (first, last) = pick(SampleOrders.people)
        let (street, city, zip, country) = pick(SampleOrders.places)
        var total = 0
        var items: [String] = []
        for index in 0..<(1 + random.next(below: 3)) {
            let (sku, title, cents) = pick(SampleOrders.goods)
            let quantity = 1 + random.next(below: 3)
            total += cents * quantity
            var item =
                #"{"sku":"\#(sku)","title":"\#(title)","quantity":\#(quantity),"price":\#(SampleOrders.money(cents))"#
            if index == 0 {
                let (giftFirst, giftLast) = pick(SampleOrders.people)
                item +=
                    #","gift":{"to":"\#(giftFirst) \#(giftLast)","email":"\#(SampleOrders.email(giftFirst, giftLast, "example.net"))"}"#
            }
            items.append(item + "}")
        }
        let json = """
            {"id":"\(id)","placed":"2026-11-\(SampleOrders.padded(1 + random.next(below: 24), 2))T\
            \(SampleOrders.padded(random.next(below: 24), 2)):\(SampleOrders.padded(random.next(below: 60), 2)):00Z",\
            "customer":{"name":"\(first) \(last)","email":"\(SampleOrders.email(first, last, "example.com"))",\
            "phone":"+43 1 \(1_000_000 + random.next(below: 8_999_999))"},\
            "payment":{"card":{"number":"\(cardNumber())","expires":"\(SampleOrders.padded(1 + random.next(below: 12), 2))/29"},\
            "currency":"EUR"},\
            "shipping":{"address":{"street":"\(street) \(1 + random.next(below: 180))","city":"\(city)",\
            "zip":"\(zip)","country":"\(country)"}},\
            "items":[\(items.joined(separator: ","))],"total":\(SampleOrders.money(total))}
            """
        return Order(id: id, json: json)
    }

    private mutating func pick<Element>(_ list: [Element]) -> Element { list[random.next(below: list.count)] }

    private mutating func cardNumber() -> String {
        var digits = pick(SampleOrders.cardPrefixes).utf8.map { Int($0 - 48) }
        while digits.count < 15 { digits.append(random.next(below: 10)) }
        return (digits + [SampleOrders.luhnDigit(digits)]).map(String.init).joined()
    }

    /// The check digit behind `digits` (ISO/IEC 7812-1, annex B).
    public static func luhnDigit(_ digits: [Int]) -> Int {
        var sum = 0
        for (index, digit) in digits.reversed().enumerated() {
            let doubled = index % 2 == 0 ? digit * 2 : digit
            sum += doubled > 9 ? doubled - 9 : doubled
        }
        return (10 - sum % 10) % 10
    }

    private static func email(_ first: String, _ last: String, _ domain: String) -> String {
        "\(first.lowercased()).\(last.lowercased())@\(domain)"
    }
    private static func padded(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    private static func money(_ cents: Int) -> String { "\(cents / 100).\(padded(cents % 100, 2))" }
}

/// Sebastiano Vigna's SplitMix64: small, and the same everywhere.
struct SplitMix64 {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// Below `bound`, which is small: the bias of the remainder does not matter for samples.
    mutating func next(below bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

import Foundation
import Testing
import TidegateDemo

struct SampleOrdersTests {
    struct Order: Decodable {
        struct Payment: Decodable {
            struct Card: Decodable { var number: String }
            var card: Card
        }
        struct Item: Decodable {
            struct Gift: Decodable { var email: String }
            var quantity: Int
            var price: Double
            var gift: Gift?
        }
        var id: String
        var payment: Payment
        var items: [Item]
        var total: Double
    }

    private func orders(_ count: Int, seed: UInt64 = 1) -> [SampleOrders.Order] {
        var samples = SampleOrders(seed: seed)
        return (0..<count).map { samples.next($0) }
    }

    @Test func `every order is JSON with a valid card, nested gifts and a right total`() throws {
        for order in orders(200) {
            let read = try JSONDecoder().decode(Order.self, from: Data(order.json.utf8))
            #expect(read.id == order.id)
            let digits = read.payment.card.number.compactMap(\.wholeNumberValue)
            #expect(digits.count == 16 && SampleOrders.luhnDigit(Array(digits.dropLast())) == digits.last)
            #expect(read.items.first?.gift?.email.hasSuffix("@example.net") == true)
            let sum = read.items.reduce(0) { $0 + $1.price * Double($1.quantity) }
            #expect(abs(sum - read.total) < 0.005)
        }
    }

    @Test func `the same seed gives the same orders, another one others`() {
        #expect(orders(20).map(\.json) == orders(20).map(\.json))
        #expect(orders(20).map(\.json) != orders(20, seed: 2).map(\.json))
    }

    @Test(arguments: [("7992739871", 3), ("411111111111111", 1), ("0", 0)])
    func `check digits are those of ISO 7812`(digits: String, check: Int) {
        #expect(SampleOrders.luhnDigit(digits.compactMap(\.wholeNumberValue)) == check)
    }
}

import Foundation
import Synchronization
import Testing
import TidegateControl
import TidegateCore

@Suite struct UnmaskPageTests {
    /// A page that knows one token of a person, opens what begins with `t`, and remembers what was recorded.
    private final class Desk: Sendable {
        /// With `!` before what is refused.
        let recorded = Mutex<[String]>([])
        let asked = Mutex<[String]>([])
        let stores: Bool
        let opens: Bool
        init(stores: Bool = true, opens: Bool = true) {
            self.stores = stores
            self.opens = opens
        }

        var page: UnmaskPage {
            UnmaskPage(
                authenticate: { credential in
                    switch String(decoding: credential.secret, as: UTF8.self) {
                    case "known":
                        .verified(
                            Principal(subject: "olga", groups: ["officers"], issuer: "i", expires: .distantFuture))
                    case "new": .notYet
                    default: .rejected(reason: "its signature is wrong")
                    }
                },
                open: { principal, route, tokens in
                    self.asked.withLock { $0.append("\(principal.subject) \(route ?? "-")") }
                    let known = route == "orders" ? route : nil
                    guard self.opens else {
                        return .init(
                            refusal: "no rule", route: known,
                            tokens: tokens.map { .refused("no rule", domain: $0 == "x-of-d" ? "d" : nil) })
                    }
                    return .init(
                        route: known,
                        tokens: tokens.map { token in
                            token.hasPrefix("t")
                                ? .opened(token == "t-raw" ? [0xff] : Array("clear \"\(token)\"".utf8), domain: "d\"1")
                                : .refused("not a token", domain: token == "x-of-d" ? "d" : nil)
                        })
                },
                record: { event in
                    switch event {
                    case .opened(let members):
                        self.recorded.withLock { $0.append(String(decoding: members, as: UTF8.self)) }
                        return self.stores
                    case .refused(let members):
                        self.recorded.withLock { $0.append("!" + String(decoding: members, as: UTF8.self)) }
                        return true
                    }
                })
        }

        func ask(
            _ body: String, _ authorization: String? = "Bearer known", method: String = "POST"
        ) -> (status: Int, body: String) {
            let answer = page.answer(
                method: method, authorization: authorization, body: Array(body.utf8), clientAddress: "192.0.2.7:4000")
            return (answer.status, String(decoding: answer.body, as: UTF8.self))
        }
    }

    @Test func `tokens are opened in their order, and evidence tells whose, of which domain and how many`() {
        let desk = Desk()
        let answer = desk.ask(#"{"tokens":["t1","x-of-d","t-raw","t1"],"route":"orders"}"#)
        #expect(answer.status == 200)
        #expect(
            answer.body
                == #"{"values":[{"value":"clear \"t1\""},{"error":"not a token"},{"value":{"base64":"/w=="}},{"value":"clear \"t1\""}]}"#
                + "\n")
        #expect(
            desk.recorded.withLock { $0 } == [
                #","subject":"olga","groups":["officers"],"route":"orders","client_address":"192.0.2.7:4000","opened":{"d\"1":3},"refused":1,"refused_domains":{"d":1}"#
            ])
        #expect(desk.asked.withLock { $0 } == ["olga orders"])
    }

    @Test func `a request by which nothing is opened is evidence too, without the words of its client`() {
        let who = #"!,"subject":"olga","groups":["officers"]"#
        let address = #""client_address":"192.0.2.7:4000""#
        let none = Desk()
        #expect(none.ask(#"{"tokens":["secret","x-of-d"],"route":"other \n words"}"#).status == 200)
        #expect(
            none.recorded.withLock { $0 } == [
                who + #",\#(address),"refused":2,"refused_domains":{"d":1},"reason":"no token can be opened""#
            ])
        let forbidden = Desk(opens: false)
        let answer = forbidden.ask(#"{"tokens":["x-of-d","secret","t1"],"route":"orders"}"#)
        #expect(answer.status == 403 && !answer.body.contains("d\""))
        #expect(
            forbidden.recorded.withLock { $0 } == [
                who + #","route":"orders",\#(address),"refused":3,"refused_domains":{"d":1},"reason":"no rule""#
            ])
    }

    @Test func `nothing is shown that cannot be recorded`() {
        let desk = Desk(stores: false)
        let answer = desk.ask(#"{"tokens":["t1"]}"#)
        #expect(answer.status == 503 && !answer.body.contains("clear"))
    }

    @Test func `only who is known and let is answered`() {
        let desk = Desk(opens: false)
        let body = #"{"tokens":["t1"]}"#
        #expect(desk.ask(body, nil).status == 401)
        #expect(desk.ask(body, "Basic known").status == 401)
        #expect(desk.ask(body, "Bearer other").status == 401)
        #expect(!desk.ask(body, "Bearer other").body.contains("signature"))
        #expect(desk.ask(body, "bearer new").status == 503)
        #expect(desk.ask(body, method: "GET").status == 405)
        #expect(desk.recorded.withLock { $0 }.isEmpty)
        #expect(desk.ask(body).status == 403)
    }

    @Test(arguments: ["", "{}", "[]", #"{"tokens":[]}"#, #"{"tokens":[1]}"#, #"{"tokens":"t1"}"#, #"{"tokens":["t1"]"#])
    func `a request that is none is refused`(body: String) {
        let desk = Desk()
        #expect(desk.ask(body).status == 400)
        #expect(desk.asked.withLock { $0 }.isEmpty)
    }

    @Test func `there is an end to how much is asked at once`() {
        func body(_ count: Int) -> String {
            "{\"tokens\":[\(repeatElement("\"t\"", count: count).joined(separator: ","))]}"
        }
        #expect(Desk().ask(body(UnmaskPage.limit)).status == 200)
        #expect(Desk().ask(body(UnmaskPage.limit + 1)).status == 400)
    }
}

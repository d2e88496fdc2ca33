import Foundation
public import TidegateCore

/// `POST /api/v1/unmask`: opens tokens for whom a rule lets, made without a socket.
///
/// The request names tokens (`{"tokens": [...], "route": ...}`), the answer has as many entries in the same order
/// (`{"values": [{"value": ...}, {"error": ...}]}`). What was opened is evidence, stored before the answer: by whom, of which
/// domains how many, never what. So is a request by which nothing was opened.
public struct UnmaskPage: Sendable {
    /// What became of one token.
    public enum Opening: Sendable {
        case opened([UInt8], domain: String)
        /// The reason, without anything of the token; the domain is for evidence only, where it is known.
        case refused(String, domain: String? = nil)
    }

    /// What became of a request's tokens.
    public struct Openings: Sendable {
        /// Why none may be opened: for evidence; the client is told the same of a route that does not exist.
        public var refusal: String?
        /// As the configuration has it; what a client calls so otherwise is not written down.
        public var route: String?
        /// In the order of the tokens.
        public var tokens: [Opening]
        public init(refusal: String? = nil, route: String?, tokens: [Opening]) {
            self.refusal = refusal
            self.route = route
            self.tokens = tokens
        }
    }

    /// An event's members, each with a comma before it.
    public enum Event: Sendable, Equatable {
        /// `tokens.opened`: is stored before the answer.
        case opened([UInt8])
        /// `tokens.refused`: nobody waits for it.
        case refused([UInt8])
    }

    /// How many tokens one request may name.
    public static let limit = 1000
    public static let path = "/api/v1/unmask"

    private let authenticate: @Sendable (Credential) -> Authentication
    private let open: @Sendable (Principal, _ route: String?, _ tokens: [String]) -> Openings
    private let record: @Sendable (Event) -> Bool

    /// - Parameters:
    ///   - authenticate: `notYet` is answered with 503 and asked again by the client: nothing waits here.
    ///   - record: false where it had to be stored, and that was not possible in time.
    public init(
        authenticate: @escaping @Sendable (Credential) -> Authentication,
        open: @escaping @Sendable (Principal, _ route: String?, _ tokens: [String]) -> Openings,
        record: @escaping @Sendable (Event) -> Bool
    ) {
        self.authenticate = authenticate
        self.open = open
        self.record = record
    }

    private struct Question: Decodable {
        var tokens: [String]
        var route: String?
    }

    /// - Parameters:
    ///   - authorization: the header's value.
    ///   - clientAddress: numeric, with its port.
    public func answer(
        method: String, authorization: String?, body: [UInt8], clientAddress: String
    ) -> ControlAnswer {
        guard method == "POST" else { return ControlPages.error(405, "tokens are sent with POST", allow: "POST") }
        guard let authorization, authorization.lowercased().hasPrefix("bearer ") else {
            return ControlPages.error(401, "a bearer token is needed")
        }
        let token = authorization.dropFirst("bearer ".count).drop { $0 == " " }
        let principal: Principal
        switch authenticate(Credential(secret: Array(token.utf8))) {
        case .verified(let verified): principal = verified
        case .notYet: return ControlPages.error(503, "the token is being verified: ask again")
        case .rejected: return ControlPages.error(401, "the token is not accepted")
        }
        guard let question = try? JSONDecoder().decode(Question.self, from: Data(body)), !question.tokens.isEmpty else {
            return ControlPages.error(400, "{\"tokens\": [...]} is needed")
        }
        guard question.tokens.count <= UnmaskPage.limit else {
            return ControlPages.error(400, "\(UnmaskPage.limit) tokens at once at most")
        }
        let openings = open(principal, question.route, question.tokens)
        guard record(UnmaskPage.event(principal, openings, clientAddress)) else {
            return ControlPages.error(503, "evidence cannot be stored, so nothing is opened")
        }
        if openings.refusal != nil { return ControlPages.error(403, "no rule lets you open tokens") }
        return ControlAnswer(200, "application/json", UnmaskPage.body(openings.tokens))
    }

    private static func event(_ principal: Principal, _ openings: Openings, _ clientAddress: String) -> Event {
        var opened: [String: Int] = [:]
        var refused: [String: Int] = [:]
        for token in openings.tokens {
            switch token {
            case .opened(_, let domain): opened[domain, default: 0] += 1
            case .refused(_, let domain?): refused[domain, default: 0] += 1
            case .refused(_, nil): break
            }
        }
        // A first member has no comma before it; behind this blank, each has one.
        var members: [UInt8] = [UInt8(ascii: " ")]
        JSONText.member("subject", principal.subject, to: &members)
        JSONText.member("groups", principal.groups, to: &members)
        if let route = openings.route { JSONText.member("route", route, to: &members) }
        JSONText.member("client_address", clientAddress, to: &members)
        let isRefused = openings.refusal != nil || opened.isEmpty
        if !isRefused { append("opened", opened, to: &members) }
        JSONText.member("refused", openings.tokens.count - opened.values.reduce(0, +), to: &members)
        if !refused.isEmpty { append("refused_domains", refused, to: &members) }
        if isRefused { JSONText.member("reason", openings.refusal ?? "no token can be opened", to: &members) }
        let text = Array(members.dropFirst())
        return isRefused ? .refused(text) : .opened(text)
    }

    /// How many, by domain.
    private static func append(_ name: StaticString, _ counts: [String: Int], to members: inout [UInt8]) {
        JSONText.key(name, to: &members)
        members.append(UInt8(ascii: "{"))
        for (domain, count) in counts.sorted(by: { $0.key < $1.key }) {
            if members.last != UInt8(ascii: "{") { members.append(UInt8(ascii: ",")) }
            JSONText.append(domain, to: &members)
            members.append(UInt8(ascii: ":"))
            JSONText.append(number: Int64(count), to: &members)
        }
        members.append(UInt8(ascii: "}"))
    }

    private static func body(_ openings: [Opening]) -> [UInt8] {
        var body: [UInt8] = []
        JSONText.append(literal: "{\"values\":[", to: &body)
        for (index, opening) in openings.enumerated() {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            body.append(UInt8(ascii: "{"))
            switch opening {
            case .opened(let value, _):
                JSONText.key("value", to: &body)
                unsafe JSONText.append(content: value.span.bytes, to: &body)
            case .refused(let reason, _): JSONText.member("error", reason, to: &body)
            }
            body.append(UInt8(ascii: "}"))
        }
        JSONText.append(literal: "]}\n", to: &body)
        return body
    }
}

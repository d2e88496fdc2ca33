import Foundation
public import TidegateCore

/// `POST /api/v1/unmask`: opens tokens for whom a rule lets, made without a socket.
///
/// The request names tokens (`{"tokens": [...], "route": ...}`), the answer has as many entries in the same order
/// (`{"values": [{"value": ...}, {"error": ...}]}`). What was opened is evidence, stored before the answer: whose, of which
/// domains how many, never what.
public struct UnmaskPage: Sendable {
    /// What became of one token.
    public enum Opening: Sendable {
        case opened([UInt8], domain: String)
        /// The reason, without anything of the token.
        case refused(String)
    }

    /// How many tokens one request may name.
    public static let limit = 1000
    public static let path = "/api/v1/unmask"

    private let authenticate: @Sendable (Credential) -> Authentication
    private let open: @Sendable (Principal, _ route: String?, _ tokens: [String]) -> [Opening]?
    private let record: @Sendable (_ members: [UInt8]) -> Bool

    /// - Parameters:
    ///   - authenticate: `notYet` is answered with 503 and asked again by the client: nothing waits here.
    ///   - open: nil where no rule lets the principal open anything.
    ///   - record: stores an event's members, each with a comma before it; false where that was not possible in time.
    public init(
        authenticate: @escaping @Sendable (Credential) -> Authentication,
        open: @escaping @Sendable (Principal, _ route: String?, _ tokens: [String]) -> [Opening]?,
        record: @escaping @Sendable (_ members: [UInt8]) -> Bool
    ) {
        self.authenticate = authenticate
        self.open = open
        self.record = record
    }

    private struct Question: Decodable {
        var tokens: [String]
        var route: String?
    }

    /// - Parameter authorization: the header's value.
    public func answer(method: String, authorization: String?, body: [UInt8]) -> ControlAnswer {
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
        guard let openings = open(principal, question.route, question.tokens) else {
            return ControlPages.error(403, "no rule lets you open tokens")
        }
        guard record(UnmaskPage.members(principal, question.route, openings)) else {
            return ControlPages.error(503, "evidence cannot be stored, so nothing is opened")
        }
        return ControlAnswer(200, "application/json", UnmaskPage.body(openings))
    }

    private static func members(_ principal: Principal, _ route: String?, _ openings: [Opening]) -> [UInt8] {
        // A first member has no comma before it; behind this blank, each has one.
        var members: [UInt8] = [UInt8(ascii: " ")]
        JSONText.member("subject", principal.subject, to: &members)
        JSONText.member("groups", principal.groups, to: &members)
        if let route { JSONText.member("route", route, to: &members) }
        var counts: [String: Int] = [:]
        for case .opened(_, let domain) in openings { counts[domain, default: 0] += 1 }
        JSONText.key("opened", to: &members)
        members.append(UInt8(ascii: "{"))
        for (domain, count) in counts.sorted(by: { $0.key < $1.key }) {
            if members.last != UInt8(ascii: "{") { members.append(UInt8(ascii: ",")) }
            JSONText.append(domain, to: &members)
            members.append(UInt8(ascii: ":"))
            JSONText.append(number: Int64(count), to: &members)
        }
        members.append(UInt8(ascii: "}"))
        JSONText.member("refused", openings.count - counts.values.reduce(0, +), to: &members)
        return Array(members.dropFirst())
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
            case .refused(let reason): JSONText.member("error", reason, to: &body)
            }
            body.append(UInt8(ascii: "}"))
        }
        JSONText.append(literal: "]}\n", to: &body)
        return body
    }
}

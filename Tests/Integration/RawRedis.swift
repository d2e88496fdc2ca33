import Foundation
import Testing

/// A reply of RESP2 or RESP3 as it stands on the wire.
indirect enum RedisValue: Equatable, CustomStringConvertible, CustomTestStringConvertible {
    case simple(String)
    case error(String)
    case integer(Int64)
    case bulk([UInt8])
    case null
    case double(String)
    case boolean(Bool)
    case big(String)
    case verbatim([UInt8])
    case array([RedisValue])
    case set([RedisValue])
    case push([RedisValue])
    /// Names and values in turn: a name may stand twice.
    case map([RedisValue])

    var description: String {
        switch self {
        case .simple(let text): "+\(text)"
        case .error(let text): "-\(text)"
        case .integer(let number): "\(number)"
        case .null: "nil"
        case .double(let text), .big(let text): text
        case .boolean(let isTrue): "\(isTrue)"
        case .bulk(let bytes), .verbatim(let bytes): String(decoding: bytes, as: UTF8.self).debugDescription
        case .array(let members): "\(members)"
        case .set(let members): "set\(members)"
        case .push(let members): "push\(members)"
        case .map(let members): "map\(members)"
        }
    }
    var testDescription: String { description }

    static func text(_ text: String) -> RedisValue { .bulk(Array(text.utf8)) }
    static let ok = RedisValue.simple("OK")

    var isRefusal: Bool { if case .error(let text) = self { text.hasPrefix("NOPERM") } else { false } }
    var members: [RedisValue]? {
        switch self {
        case .array(let members), .set(let members), .push(let members), .map(let members): members
        default: nil
        }
    }

    /// A bulk or simple string.
    var string: String? {
        switch self {
        case .bulk(let bytes), .verbatim(let bytes): String(decoding: bytes, as: UTF8.self)
        case .simple(let text), .error(let text): text
        default: nil
        }
    }

    /// Every string in it, however deep.
    var strings: [String] { members.map { $0.flatMap(\.strings) } ?? string.map { [$0] } ?? [] }

    /// The value behind a name, in a map or in an array that spells one.
    subscript(name: String) -> RedisValue? {
        guard let members, let place = members.firstIndex(of: .text(name)), place + 1 < members.count else {
            return nil
        }
        return members[place + 1]
    }
}

/// Redis' protocol on one connection, one reply at a time.
final class RawRedis {
    private let connection: Connection
    private var buffer: [UInt8] = []
    private var isClosed = false

    /// - Parameters:
    ///   - secret: password or token; without one nothing is sent.
    ///   - version: 3 logs in with HELLO 3.
    /// - Throws: where nobody listens or the log-in is refused.
    init(port: UInt16, user: String = "any", secret: String? = nil, version: Int = 2, seconds: Int = 10) throws {
        connection = try Connection(port: port, seconds: seconds)
        let answer: RedisValue? =
            switch (version, secret) {
            case (3, let secret?): try ask("HELLO", "3", "AUTH", user, secret)
            case (3, nil): try ask("HELLO", "3")
            case (_, let secret?): try ask("AUTH", user, secret)
            case (_, nil): nil
            }
        if case .error(let text) = answer { throw ProcessFailure(description: "the log-in is refused: \(text)") }
    }

    static func encode(_ words: [[UInt8]]) -> [UInt8] {
        var bytes = Array("*\(words.count)\r\n".utf8)
        for word in words { bytes += Array("$\(word.count)\r\n".utf8) + word + [13, 10] }
        return bytes
    }

    /// - Throws: where the other side closed or did not answer in time.
    @discardableResult
    func ask(_ words: String...) throws -> RedisValue { try ask(words) }

    @discardableResult
    func ask(_ words: [String]) throws -> RedisValue {
        send([words])
        return try receive()
    }

    /// All in one write.
    func send(_ commands: [[String]]) {
        send(bytes: commands.flatMap { command in RawRedis.encode(command.map { Array($0.utf8) }) })
    }

    func send(bytes: [UInt8]) { connection.send(bytes) }

    /// - Returns: the next reply, and its bytes.
    func receiveBytes() throws -> (value: RedisValue, bytes: [UInt8]) {
        while true {
            var place = 0
            if let value = RawRedis.parse(buffer, &place) {
                let bytes = Array(buffer[..<place])
                buffer.removeFirst(place)
                return (value, bytes)
            }
            switch connection.receive() {
            case .bytes(let bytes): buffer += bytes
            case .closed:
                isClosed = true
                throw ProcessFailure(description: "closed; \(buffer.count) bytes of a reply were there")
            case .nothing: throw ProcessFailure(description: "no reply; \(buffer.count) bytes of one were there")
            }
        }
    }

    func receive() throws -> RedisValue { try receiveBytes().value }

    /// The next reply, or nil where the connection was closed before one came.
    func receiveUnlessClosed() throws -> RedisValue? {
        do { return try receive() } catch {
            if isClosed { return nil }
            throw error
        }
    }

    /// - Returns: nil where it is not whole yet.
    private static func parse(_ bytes: [UInt8], _ place: inout Int) -> RedisValue? {
        guard let end = bytes[place...].firstRange(of: [13, 10])?.lowerBound, end > place else { return nil }
        let kind = bytes[place]
        let head = String(decoding: bytes[(place + 1)..<end], as: UTF8.self)
        place = end + 2
        func several(_ count: Int) -> [RedisValue]? {
            var members: [RedisValue] = []
            for _ in 0..<max(count, 0) {
                guard let member = parse(bytes, &place) else { return nil }
                members.append(member)
            }
            return members
        }
        switch (kind, Int(head)) {
        case (UInt8(ascii: "+"), _): return .simple(head)
        case (UInt8(ascii: "-"), _): return .error(head)
        case (UInt8(ascii: ":"), _): return .integer(Int64(head) ?? 0)
        case (UInt8(ascii: ","), _): return .double(head)
        case (UInt8(ascii: "("), _): return .big(head)
        case (UInt8(ascii: "#"), _): return .boolean(head == "t")
        case (UInt8(ascii: "_"), _): return .null
        case (UInt8(ascii: "$"), let count?), (UInt8(ascii: "="), let count?):
            guard count >= 0 else { return .null }
            guard place + count + 2 <= bytes.count else { return nil }
            let content = Array(bytes[place..<(place + count)])
            place += count + 2
            return kind == UInt8(ascii: "=") ? .verbatim(content) : .bulk(content)
        case (UInt8(ascii: "*"), let count?): return count < 0 ? .null : several(count).map { .array($0) }
        case (UInt8(ascii: "~"), let count?): return several(count).map { .set($0) }
        case (UInt8(ascii: ">"), let count?): return several(count).map { .push($0) }
        case (UInt8(ascii: "%"), let count?): return several(2 * count).map { .map($0) }
        default: return .error("no RESP: \(head)")
        }
    }
}

import CHiredis
import Glibc

/// An ordinary client (hiredis) that knows nothing of the gateway but its address.
@safe
final class RedisClient {
    /// An answer, whole.
    indirect enum Reply: Equatable {
        case text(String)
        case number(Int64)
        case list([Reply])
        case none
        case error(String)

        var elements: [Reply] { if case .list(let elements) = self { elements } else { [] } }
        var string: String { if case .text(let text) = self { text } else { "" } }
    }

    private let context: UnsafeMutablePointer<redisContext>

    /// - Parameter password: what goes behind AUTH: a password, or a name and a token.
    /// - Throws: `DemoError` with the server's words where it refuses the log-in.
    init(port: UInt16, password: [String]) throws {
        let limit = timeval(tv_sec: 10, tv_usec: 0)
        guard let context = unsafe redisConnectWithTimeout("127.0.0.1", Int32(port), limit) else {
            throw DemoError("no memory for a connection")
        }
        unsafe self.context = context
        guard unsafe context.pointee.err == 0 else {
            throw DemoError("nobody listens on port \(port)")
        }
        unsafe redisSetTimeout(context, limit)
        if case .error(let words) = try ask(["AUTH"] + password) { throw DemoError(words) }
    }

    deinit { unsafe redisFree(context) }

    func ask(_ words: String...) throws -> Reply { try ask(words) }

    /// - Throws: `DemoError` where the connection is gone.
    func ask(_ words: [String]) throws -> Reply {
        var arguments = unsafe words.map { unsafe UnsafePointer(strdup($0)) }
        defer {
            for index in unsafe arguments.indices { unsafe free(UnsafeMutablePointer(mutating: arguments[index])) }
        }
        var lengths = words.map(\.utf8.count)
        let raw = unsafe redisCommandArgv(context, Int32(words.count), &arguments, &lengths)
        guard let reply = unsafe raw?.assumingMemoryBound(to: redisReply.self) else {
            throw DemoError("the connection to Redis is gone")
        }
        defer { unsafe freeReplyObject(reply) }
        return unsafe RedisClient.read(reply)
    }

    private static func read(_ reply: UnsafeMutablePointer<redisReply>) -> Reply {
        switch unsafe reply.pointee.type {
        case REDIS_REPLY_STRING, REDIS_REPLY_STATUS: return unsafe .text(text(of: reply))
        case REDIS_REPLY_ERROR: return unsafe .error(text(of: reply))
        case REDIS_REPLY_INTEGER: return unsafe .number(reply.pointee.integer)
        case REDIS_REPLY_ARRAY:
            var elements: [Reply] = []
            for index in unsafe 0..<Int(reply.pointee.elements) {
                if let element = unsafe reply.pointee.element[index] { unsafe elements.append(read(element)) }
            }
            return .list(elements)
        default: return .none
        }
    }

    private static func text(of reply: UnsafeMutablePointer<redisReply>) -> String {
        guard let start = unsafe reply.pointee.str else { return "" }
        let bytes = unsafe UnsafeRawBufferPointer(start: start, count: Int(reply.pointee.len))
        return unsafe String(decoding: bytes, as: UTF8.self)
    }
}

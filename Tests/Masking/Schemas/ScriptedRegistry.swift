import Foundation
import Synchronization
import TestSupport
import TidegateHTTP
import TidegateSchemas

/// A registry in memory: what it answers, how often it was asked, its clock, and a gate that holds its answers back.
final class ScriptedRegistry: Sendable {
    private struct State {
        var answers: [String: HTTPClient.Answer] = [:]
        var asked: [String] = []
        var isAway = false
        var now: Int64 = 1000
        var held: [CheckedContinuation<Void, Never>] = []
        var isHolding = false
    }
    private let state = Mutex(State())

    struct Away: Error {}

    /// - Parameter answer: nil takes the path away.
    func say(_ path: String, _ schema: String?, type: String? = nil, references: String = "[]") {
        state.withLock { state in
            guard let schema else {
                state.answers[path] = nil
                return
            }
            let escaped = schema.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(
                of: "\"", with: "\\\""
            )
            .replacingOccurrences(of: "\n", with: "\\n")
            let kind = type.map { #""schemaType":"\#($0)","# } ?? ""
            let body = #"{\#(kind)"schema":"\#(escaped)","references":\#(references)}"#
            state.answers[path] = HTTPClient.Answer(status: 200, body: Array(body.utf8))
        }
    }
    func say(_ path: String, status: Int, body: String) {
        state.withLock { $0.answers[path] = HTTPClient.Answer(status: status, body: Array(body.utf8)) }
    }

    func goAway(_ away: Bool = true) { state.withLock { $0.isAway = away } }
    func advance(_ seconds: Int64) { state.withLock { $0.now += seconds } }
    var asked: [String] { state.withLock { $0.asked } }
    /// How many are held back.
    var waiting: Int { state.withLock { $0.held.count } }

    func hold() { state.withLock { $0.isHolding = true } }
    func release() {
        let held = state.withLock { state in
            defer { state.held = [] }
            state.isHolding = false
            return state.held
        }
        for continuation in held { continuation.resume() }
    }

    func get(_ url: String) async throws -> HTTPClient.Answer {
        await withCheckedContinuation { continuation in
            let isHeld = state.withLock { state in
                if state.isHolding { state.held.append(continuation) }
                return state.isHolding
            }
            if !isHeld { continuation.resume() }
        }
        return try state.withLock { state in
            let path = String(url.dropFirst("http://registry".count))
            state.asked.append(path)
            if state.isAway { throw Away() }
            return state.answers[path] ?? HTTPClient.Answer(status: 404, body: Array(#"{"error_code":40403}"#.utf8))
        }
    }

    func registry(_ change: (inout RegistrySettings) -> Void = { _ in }) throws -> SchemaRegistry {
        var settings = RegistrySettings(url: "http://registry/")
        change(&settings)
        return try SchemaRegistry(
            settings, clock: { [self] in state.withLock { $0.now } }, get: { [self] in try await get($0) })
    }
}

/// What a registry says, without what cannot be compared.
enum Said: Equatable {
    case ready(Schema.Format)
    case pending
    case failed

    init(_ answer: SchemaRegistry.Answer) {
        switch answer {
        case .ready(let schema): self = .ready(schema.format)
        case .pending: self = .pending
        case .failed: self = .failed
        }
    }
}

extension SchemaRegistry {
    /// Asks, waits until it is worth asking again, and asks again.
    func settled(_ key: SchemaKey) async -> Answer {
        let (calls, caller) = AsyncStream.makeStream(of: Void.self)
        let answer = schema(key) { caller.yield() }
        guard case .pending = answer else { return answer }
        for await _ in calls { break }
        return schema(key)
    }
}

import TestSupport
import Testing
import TidegateCore
import TidegateRedis

/// One server, and transcripts that are played against it behind the log-in.
struct RedisPlay {
    var judge: ScriptedPolicy.Judge = usual
    var maskers: @Sendable (_ isReluctant: Bool) -> [any Masker] = { [ScriptedMasker(isReluctant: $0)] }
    var rehearsal = RedisRehearsal()
    var limits = SessionLimits()
    var isConfidential = true
    var covers: @Sendable (Principal, String) -> Bool = { _, _ in true }
    var principals = ["analyst-token": Principal.analyst]
    var advertise: Advertise?

    /// All but what is called secret; customers masked, what is called whole recorded with its messages.
    static let usual: ScriptedPolicy.Judge = { _, question in
        if question.mustBeNamed || question.name.hasPrefix("secret") || question.withinName?.hasPrefix("secret") == true
        {
            return Ruling(effect: .deny, rule: 1)
        }
        if question.name.hasPrefix("customers") { return Ruling(effect: .allow, rule: 0, mask: MaskIndex(1)) }
        if question.name.hasPrefix("whole") {
            return Ruling(effect: .allow, rule: 0, mask: MaskIndex(1), recording: .messages)
        }
        return Ruling(effect: .allow, rule: 0)
    }
    static let everything: ScriptedPolicy.Judge = { _, _ in Ruling(effect: .allow, rule: 0) }
    static let nothing: ScriptedPolicy.Judge = { _, _ in Ruling(effect: .deny, rule: 1) }

    struct Outcome {
        var toClient: String
        var toBackend: String
        var whole: WireResult
        /// Behind the log-in.
        var lines: [String]
        func lines(of type: String) -> [String] { lines.filter { $0.contains("\"type\":\"\(type)\"") } }
    }

    func kit(_ isReluctant: Bool) -> ScriptedAuthority {
        ScriptedAuthority(
            kinds: RedisBackend.declaration.kinds, wireNames: RedisBackend.declaration.wireNames,
            explicitCommands: RedisBackend.declaration.explicitCommands, protocolName: "redis", positions: .entry,
            advertise: advertise, limits: limits, isConfidential: isConfidential, principals: principals,
            maskers: maskers(isReluctant),
            isReluctant: isReluctant, judge: judge, covers: covers)
    }

    /// Plays whole, byte by byte, and with answers that come late; all must lead to the same.
    func playBare(_ transcript: [Happening], _ location: SourceLocation = #_sourceLocation) -> Outcome {
        let (result, differences) = playAllWays(
            transcript, kit: { kit($0) }, machine: { rehearsal.machine(for: $0) })
        #expect(differences == [], sourceLocation: location)
        #expect(result.faults == [], sourceLocation: location)
        return Outcome(
            toClient: String(decoding: result.toClient, as: UTF8.self),
            toBackend: String(decoding: result.toBackend, as: UTF8.self), whole: result, lines: result.lines)
    }

    /// Logs in, then plays.
    func play(_ transcript: [Happening], _ location: SourceLocation = #_sourceLocation) -> Outcome {
        var outcome = playBare([.ask("AUTH", "any", "analyst-token")] + transcript, location)
        #expect(outcome.toClient.hasPrefix("+OK\r\n"), sourceLocation: location)
        outcome.toClient.removeFirst(min(4, outcome.toClient.unicodeScalars.count))
        outcome.lines.removeFirst()
        return outcome
    }
}

extension Happening {
    /// A command as clients send it.
    static func ask(_ words: String...) -> Happening { .client(command(words)) }
    static func reply(_ text: String) -> Happening { .backend(Array(text.utf8)) }
    static func say(_ text: String) -> Happening { .client(Array(text.utf8)) }
}

/// An array of bulks.
func command(_ words: [String]) -> [UInt8] {
    Array("*\(words.count)\r\n".utf8) + words.flatMap { Array("$\($0.utf8.count)\r\n\($0)\r\n".utf8) }
}

func bulk(_ text: String) -> String { "$\(text.utf8.count)\r\n\(text)\r\n" }
func array(_ elements: String...) -> String { "*\(elements.count)\r\n" + elements.joined() }
func map(_ pairs: String...) -> String { "%\(pairs.count / 2)\r\n" + pairs.joined() }
func entry(_ id: String, _ fields: String...) -> String {
    array(bulk(id), "*\(fields.count)\r\n" + fields.map(bulk).joined())
}
/// A command as the server is to get it.
func sent(_ words: String...) -> String { String(decoding: command(words), as: UTF8.self) }

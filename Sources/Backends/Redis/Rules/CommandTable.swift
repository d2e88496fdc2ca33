import TidegateCore
import TidegateWire

/// Every command that the gateway knows, found by name in any case of letters. What is not here is refused.
struct CommandTable: Sendable {
    let rules: [CommandRule]

    /// A command's name, or a container's (`XGROUP`), or both together; in `names`.
    private struct Entry: BitwiseCopyable {
        var start: Int
        /// Bytes of the command, and of the subcommand: an argument with a space in it is not both.
        var command: Int
        var subcommand: Int
        /// Index of the rule; -1 where the name is only a container's.
        var rule: Int
        var isContainer: Bool
    }
    private let entries: [Entry]
    /// Upper-case names, one behind the other.
    private let names: [UInt8]
    /// Open addressing: index of an entry, -1 is free. A power of two, at most half full.
    private let slots: [Int]
    /// What messages come by.
    let subscribe, patternSubscribe, shardSubscribe: WireName
    /// The rule of PING.
    let ping: Int

    init(rules: [CommandRule]) {
        var names: [UInt8] = []
        var entries: [Entry] = []
        for (index, rule) in rules.enumerated() {
            let words = "\(rule.name)".utf8.split(separator: UInt8(ascii: " "), maxSplits: 1)
            guard let command = words.first else { continue }
            let start = names.count
            names.append(contentsOf: command)
            if words.count > 1 { names.append(contentsOf: words[1]) }
            entries.append(
                Entry(
                    start: start, command: command.count, subcommand: words.count > 1 ? words[1].count : 0, rule: index,
                    isContainer: false))
        }
        let commands = entries
        for entry in commands where entry.subcommand > 0 {
            let name = names[entry.start..<(entry.start + entry.command)]
            let known = entries.firstIndex {
                $0.subcommand == 0 && names[$0.start..<($0.start + $0.command)] == name
            }
            if let known {
                entries[known].isContainer = true
            } else {
                entries.append(
                    Entry(start: entry.start, command: entry.command, subcommand: 0, rule: -1, isContainer: true))
            }
        }
        var size = 64
        while size < entries.count * 2 { size *= 2 }
        var slots = [Int](repeating: -1, count: size)
        for (index, entry) in entries.enumerated() {
            var hash = CommandTable.seed
            for byte in names[entry.start..<(entry.start + entry.command)] { CommandTable.mix(byte, into: &hash) }
            if entry.subcommand > 0 {
                CommandTable.mix(0x20, into: &hash)
                let start = entry.start + entry.command
                for byte in names[start..<(start + entry.subcommand)] { CommandTable.mix(byte, into: &hash) }
            }
            var slot = Int(truncatingIfNeeded: hash) & (size - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (size - 1) }
            slots[slot] = index
        }
        self.rules = rules
        self.entries = entries
        self.names = names
        self.slots = slots
        func wireName(_ name: String) -> WireName {
            WireName(UInt16(clamping: rules.firstIndex { "\($0.name)" == name } ?? Int(UInt16.max)))
        }
        ping = Int(wireName("PING").index)
        subscribe = wireName("SUBSCRIBE")
        patternSubscribe = wireName("PSUBSCRIBE")
        shardSubscribe = wireName("SSUBSCRIBE")
    }

    /// The rule of a request's command, with its subcommand where it has some.
    ///
    /// - Returns: its index in `rules`, nil where nobody knows it.
    func find(_ arguments: borrowing CommandArguments, _ bytes: RawSpan) -> Int? {
        guard arguments.count > 0 else { return nil }
        var hash = CommandTable.seed
        mix(arguments[0], bytes, into: &hash)
        guard let entry = entry(hash, arguments[0], 0..<0, bytes) else { return nil }
        if !entry.isContainer || arguments.count == 1 { return entry.rule >= 0 ? entry.rule : nil }
        CommandTable.mix(0x20, into: &hash)
        mix(arguments[1], bytes, into: &hash)
        guard !arguments[1].isEmpty else { return nil }
        return self.entry(hash, arguments[0], arguments[1], bytes)?.rule
    }

    private func entry(_ hash: UInt64, _ command: Range<Int>, _ subcommand: Range<Int>, _ bytes: RawSpan) -> Entry? {
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            let entry = entries[slots[slot]]
            if entry.command == command.count, entry.subcommand == subcommand.count,
                isName(entry.start, command, bytes), isName(entry.start + entry.command, subcommand, bytes)
            {
                return entry
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private func isName(_ start: Int, _ range: Range<Int>, _ bytes: RawSpan) -> Bool {
        for offset in 0..<range.count {
            guard let byte = bytes.byte(at: range.lowerBound &+ offset) else { return false }
            if CommandTable.upper(byte) != names[start + offset] { return false }
        }
        return true
    }

    // MARK: FNV-1a

    private static let seed: UInt64 = 0xCBF2_9CE4_8422_2325
    /// No name is longer; what a peer sends beyond it need not be gone over.
    private static let nameLimit = 32

    private func mix(_ range: Range<Int>, _ bytes: RawSpan, into hash: inout UInt64) {
        for at in range.prefix(CommandTable.nameLimit) {
            if let byte = bytes.byte(at: at) { CommandTable.mix(CommandTable.upper(byte), into: &hash) }
        }
    }

    private static func mix(_ byte: UInt8, into hash: inout UInt64) {
        hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
    }

    private static func upper(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") ? byte & 0xDF : byte
    }
}

extension CommandTable {
    static let all = CommandTable(
        rules: streamRules + sessionRules + serverRules + stringRules + genericRules + hashRules + listRules + setRules
            + sortedSetRules + geoRules + channelRules)

    /// Names of commands in upper case, as events and the policy's `commands` have them.
    static let wireNames: [String] = all.rules.map { "\($0.name)" }

    /// Commands that a rule must name itself: no category opens them, and no rule without `commands`.
    static let explicitNames: Set<String> = Set(
        all.rules.compactMap {
            guard case .exposing = $0.handling else { return nil }
            return "\($0.name)"
        })

    /// What each of Redis' categories (without `@`) opens here.
    static let categoryNames: [String: [String]] = {
        var names: [String: [String]] = [:]
        for (name, category) in CommandRule.Categories.names {
            names[name] = all.rules.filter { $0.categories.contains(category) }.map { "\($0.name)" }
        }
        return names
    }()
}

extension CommandRule.Categories {
    /// As Redis has them (`ACL CAT`).
    static let names: [(String, Self)] = [
        ("read", .read), ("write", .write), ("stream", .stream), ("string", .string), ("hash", .hash), ("list", .list),
        ("set", .set), ("sortedset", .sortedSet), ("pubsub", .pubsub), ("keyspace", .keyspace), ("bitmap", .bitmap),
        ("hyperloglog", .hyperloglog), ("geo", .geo), ("blocking", .blocking), ("connection", .connection),
        ("transaction", .transaction), ("admin", .admin), ("dangerous", .dangerous), ("fast", .fast), ("slow", .slow),
    ]
}

import TidegateCore

extension CommandTable {
    /// Strings, bits of strings, and HyperLogLogs.
    static let stringRules: [CommandRule] =
        [
            .key("GET", [.read, .string, .fast], [.consume], .at(1), 2...2, .values),
            .key("MGET", [.read, .string, .fast], [.consume], .from(1), 2...CommandRule.many, .valuePerTarget),
            // What takes the place of a stream of that name is judged as that, too (`anyKey`).
            .grammar("SET", [.write, .string, .slow], StringGrammars.set),
            .grammar("GETEX", [.string, .fast], StringGrammars.getAndExpire),
            .key("GETDEL", [.string, .fast], [.consume, .delete], .at(1), 2...2, .values),
            .key("GETSET", [.string, .fast], [.consume, .produce], .at(1), 3...3, .writtenForValue),
            .key("SETNX", [.write, .string, .fast], [.produce], .at(1), 3...3, .writtenUnlessZero),
            .key("SETEX", [.write, .string, .slow], [.produce], .at(1), 4...4, .written, kind: .anyKey),
            .key("PSETEX", [.write, .string, .slow], [.produce], .at(1), 4...4, .written, kind: .anyKey),
            .key(
                "MSET", [.write, .string, .slow], [.produce], .pairs(1), 3...CommandRule.many, .written, kind: .anyKey),
            .key("MSETNX", [.write, .string, .slow], [.produce], .pairs(1), 3...CommandRule.many, .writtenUnlessZero),
            .key("APPEND", [.write, .string, .fast], [.produce], .at(1), 3...3, .written),
            .key("SETRANGE", [.write, .string, .slow], [.produce], .at(1), 4...4, .written),
            .key("STRLEN", [.read, .string, .fast], [.describe], .at(1), 2...2),
            .key("GETRANGE", [.read, .string, .slow], [.consume], .at(1), 4...4, .values, hidden: true),
            .key("SUBSTR", [.read, .string, .slow], [.consume], .at(1), 4...4, .values, hidden: true),
            // The answer is the value that is there then.
            .key("INCR", [.write, .string, .fast], [.consume, .produce], .at(1), 2...2, .written, hidden: true),
            .key("DECR", [.write, .string, .fast], [.consume, .produce], .at(1), 2...2, .written, hidden: true),
            .key("INCRBY", [.write, .string, .fast], [.consume, .produce], .at(1), 3...3, .written, hidden: true),
            .key("DECRBY", [.write, .string, .fast], [.consume, .produce], .at(1), 3...3, .written, hidden: true),
            .key(
                "INCRBYFLOAT", [.write, .string, .fast], [.consume, .produce], .at(1), 3...3, .written, hidden: true),
            .grammar("LCS", [], StringGrammars.longestCommon),
            .key("GETBIT", [.read, .bitmap, .fast], [.consume], .at(1), 3...3, hidden: true),
            .key("SETBIT", [.bitmap, .slow], [.consume, .produce], .at(1), 4...4, .written, hidden: true),
            .key("BITCOUNT", [.read, .bitmap, .slow], [.consume], .at(1), 2...5, hidden: true),
            .key("BITPOS", [.read, .bitmap, .slow], [.consume], .at(1), 3...6, hidden: true),
            .grammar("BITFIELD", [.bitmap, .slow], StringGrammars.bitField),
            .grammar("BITFIELD_RO", [.read, .bitmap, .fast], StringGrammars.bitFieldRead),
            .key("PFADD", [.write, .hyperloglog, .fast], [.produce], .at(1), 2...CommandRule.many, .written),
            .key("PFCOUNT", [.read, .hyperloglog, .slow], [.consume], .from(1), 2...CommandRule.many),
        ]
        + CommandRule.refused(
            CommandRule.copies, ["BITOP", "PFMERGE"])
        + CommandRule.refused("a command for debugging is not served", ["PFDEBUG", "PFSELFTEST"])
}

import TidegateCore
import TidegateDetection
import TidegateWire

/// What a profile looks for in one part of a record: immutable, shared by all loops.
final class PartRules: Sendable {
    let paths: PathAutomaton
    /// Rules by the names of fields, in the order of the profile.
    let names: [(pattern: NamePattern, rule: Int)]
    let detectors: DetectorSet?
    /// The rule of each detector, by its number in `detectors`.
    let detectorRules: [Int]
    /// Of each detector of `detectors`.
    let detectorNames: [String]
    /// The count of each detector among those of the profile.
    let detectorTallies: [Int]
    /// Rules by what a schema marks fields with.
    let tags: [(tag: String, rule: Int)]
    /// Rules by column: each ends a column's full name.
    let columns: [(suffix: [UInt8], rule: Int)]
    /// What is replaced as it is, whatever it is.
    let everything: Int?
    /// Where the subjects of date shifts stand: the rule of each path is its slot.
    let subjects: PathAutomaton

    init(
        paths: PathAutomaton = PathAutomaton(), names: [(pattern: NamePattern, rule: Int)] = [],
        detectors: DetectorSet? = nil, detectorRules: [Int] = [], detectorNames: [String] = [],
        detectorTallies: [Int] = [], tags: [(tag: String, rule: Int)] = [],
        columns: [(suffix: [UInt8], rule: Int)] = [], everything: Int? = nil,
        subjects: PathAutomaton = PathAutomaton()
    ) {
        self.paths = paths
        self.names = names
        self.detectors = detectors
        self.detectorRules = detectorRules
        self.detectorNames = detectorNames
        self.detectorTallies = detectorTallies
        self.tags = tags
        self.columns = columns
        self.everything = everything
        self.subjects = subjects
    }

    /// Nothing can be found by them.
    var isEmpty: Bool {
        paths.isEmpty && names.isEmpty && tags.isEmpty && detectors == nil && columns.isEmpty && everything == nil
    }

    /// Text alone can be looked at: no rule asks for a structure in it.
    var areForText: Bool { paths.isEmpty && names.isEmpty && tags.isEmpty }

    /// The same with more paths: those that a JSON Schema's tags stand at.
    func adding(_ paths: PathAutomaton) -> PartRules {
        PartRules(
            paths: paths, names: names, detectors: detectors, detectorRules: detectorRules,
            detectorNames: detectorNames, detectorTallies: detectorTallies, columns: columns, everything: everything,
            subjects: subjects)
    }

    /// The first rule whose pattern the name matches.
    func rule(forName name: UnsafeRawBufferPointer) -> Int? {
        for (pattern, rule) in names where pattern.matches(unsafe name.bytes) { return rule }
        return nil
    }

    /// The first rule for a column of that full name.
    func rule(forColumn name: RawSpan) -> Int? {
        let count = name.byteCount
        for (suffix, rule) in columns where count >= suffix.count {
            let start = count - suffix.count
            guard start == 0 || name.byte(at: start - 1) == UInt8(ascii: ".") else { continue }
            if unsafe name.equals(suffix.span.bytes, in: start..<count) { return rule }
        }
        return nil
    }
}

/// All that a profile does, compiled.
final class CompiledRules: Sendable {
    let values: PartRules
    let headers: PartRules
    let keys: PartRules
    /// By number of the rule.
    let actions: [CompiledAction]
    /// By number of the rule, where what is found in a record key is made a token instead.
    let keyActions: [CompiledAction?]
    /// Some action takes members out.
    let hasRemovals: Bool
    /// What a record key becomes, or a value in it, that its rules can make nothing of.
    let wholeKey: CompiledAction?
    /// Where whose dates are moved stand, as places in fields and columns.
    let subjects: PartRules
    let subjectCount: Int
    let tallies: MaskingTallies

    init(
        values: PartRules, headers: PartRules, keys: PartRules, actions: [CompiledAction],
        keyActions: [CompiledAction?], wholeKey: CompiledAction?, subjectCount: Int, tallies: MaskingTallies
    ) {
        self.values = values
        self.headers = headers
        self.keys = keys
        self.actions = actions
        self.keyActions = keyActions
        self.wholeKey = wholeKey
        self.subjectCount = subjectCount
        subjects = PartRules(paths: values.subjects)
        self.tallies = tallies
        hasRemovals = actions.contains { $0.isRemoval }
    }
}

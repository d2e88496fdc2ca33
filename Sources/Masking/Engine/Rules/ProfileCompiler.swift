import TidegateCore
import TidegateDetection
import TidegateSchemas
import TidegateTokens

/// Makes the rules of a profile ready to run, or says of each what is wrong with it.
struct ProfileCompiler {
    private let settings: MaskingProfileSettings
    private let material: MaskingMaterial
    private var errors: [MaskingSettingsError] = []
    private(set) var warnings: [MaskingWarning] = []
    private var actions: [CompiledAction] = []
    private var keyActions: [CompiledAction?] = []
    private var paths: [FieldPath?] = []
    private var names: [NamePattern?] = []
    private var subjects = PathAutomaton()
    /// By slot.
    private var subjectPaths: [FieldPath] = []
    private var userPatterns: [String: UserPattern] = [:]
    private var detectorNames: [String] = []

    init(_ settings: MaskingProfileSettings, _ material: MaskingMaterial) {
        self.settings = settings
        self.material = material
    }

    private mutating func fail(_ rule: Int, _ message: String, _ suggestion: String) {
        errors.append(MaskingSettingsError(rule: rule, message: message, suggestion: suggestion))
    }

    mutating func compile() throws(MaskingSettingsErrors) -> CompiledRules {
        for (index, rule) in settings.rules.enumerated() {
            select(index, rule)
            compileAction(index, rule)
        }
        if !errors.isEmpty { throw MaskingSettingsErrors(errors) }
        let values = part(.value)
        let headers = part(.header)
        let keys = part(.key)
        if !errors.isEmpty { throw MaskingSettingsErrors(errors) }
        warnings = MaskingWarning.all(settings.rules, paths)
        for (index, rule) in settings.rules.enumerated() where keyActions[index] == nil && reachesTextKeys(rule) {
            warnings.append(
                MaskingWarning(
                    rule: index,
                    message: "record keys in which '\(rule.label)' finds something take their records with them: "
                        + "there is no masking key 'default' for their tokens",
                    suggestion: "masking.keys.default, or 'in' with value and header"))
        }
        return CompiledRules(
            values: values, headers: headers, keys: keys, actions: actions, keyActions: keyActions,
            wholeKey: CompiledAction.forKeys(material.keys, domain: CompiledAction.wholeKeyDomain),
            subjectCount: subjectPaths.count,
            tallies: MaskingTallies(rules: settings.rules.map(\.publicLabel), detectors: detectorNames))
    }

    // MARK: What a rule looks at

    private mutating func select(_ index: Int, _ rule: MaskingRule) {
        paths.append(nil)
        names.append(nil)
        switch rule.selector {
        case .field(let text):
            if settings.format == .text, rule.parts.map({ $0 == [.value] }) ?? false {
                fail(
                    index, "text has no fields: the rule can never match", "'detect' or 'everything', or another format"
                )
            }
            switch FieldPath.parse(text) {
            case .success(let path): paths[index] = path
            case .failure(let error): fail(index, error.message, "a path such as card.number, **.email or items[*].sku")
            }
        case .namePattern(let text):
            do throws(PatternError) {
                names[index] = try NamePattern(text)
            } catch {
                fail(index, error.message, error.suggestion)
            }
        case .tag(let tag):
            if tag.isEmpty { fail(index, "a tag has a name", "the tag as the schema has it, such as PII") }
            if settings.format == .json || settings.format == .text {
                fail(
                    index, "format \(settings.format.rawValue) reads no schema: the rule can never match",
                    "format: auto, which is what it is without the key")
            } else if settings.registry == nil, settings.schemas.isEmpty {
                fail(
                    index, "no schema says what is tagged: the rule can never match",
                    "a 'registry' or 'schemas' in the profile")
            }
        case .column(let column):
            let parts = column.split(separator: ".", omittingEmptySubsequences: false)
            if !(2...3).contains(parts.count) || parts.contains("") {
                fail(index, "'\(column)' names no column", "[schema.]table.column")
            }
            if let parts = rule.parts, !parts.contains(.value) {
                fail(index, "columns are values: the rule can never match", "'in' with value, or without 'in'")
            }
        case .detectors(let list): detect(index, rule, list)
        case .everything: break
        }
    }

    private mutating func detect(_ index: Int, _ rule: MaskingRule, _ list: [String]) {
        if list.isEmpty { fail(index, "no detector is named", "detect: [credit-card], or detect: all") }
        if rule.action == .drop {
            fail(index, "what detectors find is a part of a value, which cannot be dropped", "redact or nullify")
        }
        for name in list {
            if name == "all" || BuiltInDetector(rawValue: name) != nil || userPatterns[name] != nil { continue }
            guard let user = material.detectors[name] else {
                fail(index, "there is no detector '\(name)'", "one of docs/masking.md, or of masking.detectors")
                continue
            }
            do throws(PatternError) {
                userPatterns[name] = try UserPattern(
                    name: name, pattern: user.pattern, checksum: user.checksum.flatMap(Checksum.init(rawValue:)),
                    context: user.context, needsContext: user.needsContext)
            } catch {
                fail(index, "detector '\(name)': \(error.message)", error.suggestion)
            }
        }
    }

    /// The detectors that a rule names, each once.
    private func detectors(_ list: [String]) -> [String] {
        let all = BuiltInDetector.allCases.map(\.rawValue) + material.detectors.keys.sorted()
        var seen: Set<String> = []
        return list.flatMap { $0 == "all" ? all : [$0] }.filter { seen.insert($0).inserted }
    }

    // MARK: What is done with it

    private mutating func compileAction(_ index: Int, _ rule: MaskingRule) {
        switch CompiledAction.compile(rule.action, material.keys) {
        case .failure(let error): fail(index, error.message, error.suggestion)
        case .success(var action):
            if let path = action.subjectPath {
                switch FieldPath.parse(path) {
                case .success(let path):
                    if let slot = slot(path) {
                        action.subjectSlot = slot
                    } else {
                        fail(index, "too many subjects of dates", "fewer or shorter paths")
                    }
                case .failure(let error): fail(index, "subject: \(error.message)", "a path such as patient.id")
                }
            }
            if rule.parts?.contains(.key) == true, !action.isInjective {
                fail(
                    index, "a record key is masked with an injective action only: two keys must not become one",
                    "token or deterministic encrypt, or leave 'key' out of 'in'")
            }
            actions.append(action)
            let keyAction = action.isInjective ? action : CompiledAction.forKeys(material.keys)
            keyActions.append(keyAction)
            if keyAction == nil, case .everything = rule.selector, reachesTextKeys(rule) {
                fail(
                    index, "record keys become tokens, and there is no masking key 'default'",
                    "masking.keys.default, or 'in' with value and header")
            }
        }
    }

    /// True where keys of plain text are the rule's too.
    private func reachesTextKeys(_ rule: MaskingRule) -> Bool {
        guard rule.parts?.contains(.key) ?? true else { return false }
        switch rule.selector {
        case .detectors, .everything: return true
        case .field, .namePattern, .tag, .column: return false
        }
    }

    /// The slot of a subject's path: two rules may have one.
    private mutating func slot(_ path: FieldPath) -> Int? {
        if let known = subjectPaths.firstIndex(of: path) { return known }
        guard subjectPaths.count < DateSubjects.limit, subjects.add(path, rule: subjectPaths.count) else { return nil }
        subjectPaths.append(path)
        return subjectPaths.count - 1
    }

    // MARK: Parts

    private mutating func part(_ part: RecordPart) -> PartRules {
        var automaton = PathAutomaton()
        var names: [(pattern: NamePattern, rule: Int)] = []
        var specifications: [DetectorSpecification] = []
        var detectorRules: [Int] = []
        var tallies: [Int] = []
        var detectorNames: [String] = []
        var tags: [(tag: String, rule: Int)] = []
        var columns: [(suffix: [UInt8], rule: Int)] = []
        var everything: Int?
        var taken: Set<String> = []
        for (index, rule) in settings.rules.enumerated() where rule.parts?.contains(part) ?? true {
            switch rule.selector {
            case .field:
                if let path = paths[index], !automaton.add(path, rule: index) {
                    fail(
                        index, "the profile's paths have more than \(PathAutomaton.limit) parts in all",
                        "fewer or shorter paths; ** stands for many")
                    return PartRules()
                }
            case .namePattern: if let pattern = self.names[index] { names.append((pattern, index)) }
            case .tag(let tag): tags.append((tag, index))
            case .column(let column): if part == .value { columns.append((Array(column.utf8), index)) }
            case .detectors(let list):
                for name in detectors(list) where taken.insert(name).inserted {
                    if let pattern = userPatterns[name] {
                        specifications.append(.user(pattern))
                    } else if let builtIn = BuiltInDetector(rawValue: name) {
                        specifications.append(.builtIn(builtIn))
                    } else {
                        continue
                    }
                    detectorRules.append(index)
                    detectorNames.append(name)
                    tallies.append(tally(name))
                }
            case .everything:
                if everything == nil { everything = index }
            }
        }
        var set: DetectorSet?
        if !specifications.isEmpty {
            do throws(PatternError) {
                set = try DetectorSet(specifications)
            } catch {
                fail(-1, "the detectors do not go together: \(error.message)", error.suggestion)
            }
        }
        return PartRules(
            paths: automaton, names: names, detectors: set, detectorRules: detectorRules,
            detectorNames: detectorNames, detectorTallies: tallies, tags: tags, columns: columns,
            everything: everything,
            subjects: part == .key ? PathAutomaton() : subjects)
    }

    private mutating func tally(_ name: String) -> Int {
        if let index = detectorNames.firstIndex(of: name) { return index }
        detectorNames.append(name)
        return detectorNames.count - 1
    }
}

import Glibc

/// What the demo says on the terminal: steps that hold or not, tables, text. Colours only where a person looks on.
final class DemoScreen {
    private let isColoured: Bool
    private(set) var held = 0
    private(set) var failures: [String] = []

    init() {
        let isPlain = unsafe getenv("NO_COLOR") != nil
        isColoured = isatty(1) == 1 && !isPlain
    }

    private enum Colour: String {
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
    }
    private func painted(_ text: String, _ colour: Colour) -> String {
        isColoured ? "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m" : text
    }

    func title(_ text: String) { line("\n" + painted(text, .bold)) }
    func note(_ text: String) { line("  " + painted(text, .dim)) }
    func line(_ text: String) {
        print(text)
        fflush(nil)
    }

    /// One step of the story: it holds where `problem` is nil.
    func step(_ text: String, problem: String? = nil) {
        if let problem {
            failures.append(text)
            line("  \(painted("✘", .red)) \(text): \(painted(problem, .red))")
        } else {
            held += 1
            line("  \(painted("✔", .green)) \(text)")
        }
    }

    /// Documents beside each other, a field a row; what differs from the first is marked.
    func compare(_ columns: [(title: String, document: FlatJSON)]) {
        guard let first = columns.first?.document else { return }
        let names = first.fields.keys.sorted()
        let nameWidth = names.map(\.count).max() ?? 0
        let width = 30
        line("  " + painted(fit("", nameWidth) + columns.map { "  " + fit($0.title, width) }.joined(), .bold))
        for name in names {
            let clear = first.fields[name] ?? ""
            let cells = columns.map { column in
                let value = column.document.fields[name] ?? "(absent)"
                return "  " + (value == clear ? fit(value, width) : painted(fit(value, width), .yellow))
            }
            line("  " + fit(name, nameWidth) + cells.joined())
        }
    }

    private func fit(_ text: String, _ width: Int) -> String {
        text.count > width
            ? text.prefix(width - 1) + "…" : text + String(repeating: " ", count: width - text.count)
    }

    /// - Returns: the exit code.
    func verdict() -> Int32 {
        guard failures.isEmpty else {
            line(
                "\n"
                    + painted(
                        "demo: \(failures.count) of \(failures.count + held) steps failed: "
                            + failures.joined(separator: "; "), .red))
            return 1
        }
        line("\n" + painted("demo: all \(held) steps hold", .green))
        return 0
    }
}

import Foundation

/// The repository's own files, as text.
enum SourceTree {
    static let root: String =
        ProcessInfo.processInfo.environment["TIDEGATE_ROOT"]
        ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    static func text(_ file: String) throws -> String {
        try String(contentsOfFile: root + "/" + file, encoding: .utf8)
    }

    /// A file without its comments.
    static func code(_ file: String) throws -> String {
        try text(file).split(separator: "\n", omittingEmptySubsequences: false)
            .map { line in line.range(of: "//").map { String(line[..<$0.lowerBound]) } ?? String(line) }
            .joined(separator: "\n")
    }

    /// Swift files below a folder, as paths from the root.
    static func files(below folder: String) throws -> [String] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: root + "/" + folder)
        return names.filter { $0.hasSuffix(".swift") }.map { folder + "/" + $0 }.sorted()
    }

    /// Pairs of file and imported module.
    static func imports(below folder: String) throws -> [(String, String)] {
        try files(below: folder).flatMap { file in
            try code(file).split(separator: "\n").compactMap { line in
                let words = line.split(separator: " ")
                guard let at = words.firstIndex(of: "import"), at <= 2, at + 1 < words.count,
                    words[..<at].allSatisfy({
                        ["public", "package", "internal", "private", "fileprivate", "@preconcurrency"].contains($0)
                    })
                else { return nil }
                return (file, String(words[at + 1].prefix { $0 != "." }))
            }
        }
    }
}

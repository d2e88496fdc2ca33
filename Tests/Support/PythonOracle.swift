import Foundation
public import Testing

/// Python with the packages of `scripts/requirements.txt`: implementations that are not ours, asked by scripts that stand
/// beside the tests.
public enum PythonOracle {
    private static let python: String? = {
        let path = PublishedMaterial.checkout.appending(path: ".build-python/bin/python").path
        return FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }()
    public static let isThere = python != nil
    public static let lacking: Comment =
        "needs .build-python with scripts/requirements.txt: scripts/setup tests makes it"

    struct Failure: Error, CustomStringConvertible { var description: String }

    /// What a script prints.
    ///
    /// - Parameter script: below the checkout.
    /// - Throws: where the script fails, with its last words: a package that is missing is named there.
    public static func run(_ script: String, _ arguments: [String], input: [UInt8] = []) throws -> [UInt8] {
        guard let python else { throw Failure(description: "no Python: \(lacking)") }
        let folder = FileManager.default.temporaryDirectory.appending(path: "tidegate-oracle-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // Files, not pipes: neither side waits for the other to read.
        let paths = ["in", "out", "errors"].map { folder.appending(path: $0) }
        try Data(input).write(to: paths[0])
        for path in paths[1...] { try Data().write(to: path) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments =
            ["-B", "-W", "ignore", PublishedMaterial.checkout.appending(path: script).path] + arguments
        process.standardInput = try FileHandle(forReadingFrom: paths[0])
        process.standardOutput = try FileHandle(forWritingTo: paths[1])
        process.standardError = try FileHandle(forWritingTo: paths[2])
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let words = String(decoding: try Data(contentsOf: paths[2]).suffix(4000), as: UTF8.self)
            throw Failure(description: "\(script) failed; are the packages of scripts/requirements.txt there? \(words)")
        }
        return try Array(Data(contentsOf: paths[1]))
    }

    /// What a script prints, line by line.
    public static func lines(of script: String, _ arguments: [String]) throws -> [Substring] {
        String(decoding: try run(script, arguments), as: UTF8.self).split(separator: "\n")
    }
}

import Foundation
import TestSupport
import Testing

/// An independent implementation in Python: a script beside these tests, run by the Python that `make test` sets up.
enum PythonOracle {
    static let python: String? = {
        let path = PublishedMaterial.checkout.appending(path: ".build-python/bin/python").path
        return FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }()
    static let lacking: Comment = "needs .build-python with scripts/requirements.txt: scripts/setup tests makes it"

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// What a script prints, line by line.
    ///
    /// - Throws: where the script fails, with its last words: a package that is missing is named there.
    static func lines(of script: String, _ arguments: [String]) throws -> [Substring] {
        guard let python else { throw Failure(description: "no Python: \(lacking)") }
        let folder = PublishedMaterial.checkout.appending(path: "Tests/Masking/Detection/Oracles")
        let output = FileManager.default.temporaryDirectory.appending(path: "tidegate-oracle-\(UUID().uuidString)")
        let errors = output.appendingPathExtension("errors")
        for file in [output, errors] {
            guard FileManager.default.createFile(atPath: file.path, contents: nil) else {
                throw Failure(description: "cannot write \(file.path)")
            }
        }
        defer { for file in [output, errors] { try? FileManager.default.removeItem(at: file) } }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["-W", "ignore", folder.appending(path: script).path] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let words = String(decoding: try Data(contentsOf: errors), as: UTF8.self).suffix(600)
            throw Failure(description: "\(script) failed; are the packages of scripts/requirements.txt there? \(words)")
        }
        return String(decoding: try Data(contentsOf: output), as: UTF8.self).split(separator: "\n")
    }
}

import Foundation
import TestSupport

struct ProcessFailure: Error, CustomStringConvertible { var description: String }

/// What a program that has ended left behind.
struct Finished {
    var status: Int32
    var output: String
    var errors: String
    var lines: [String] { output.split(separator: "\n").map(String.init) }
}

/// Programs that tests run to their end.
enum Program {
    /// - Throws: where it cannot be started or has not ended after `seconds` (it is killed then).
    static func run(
        _ path: String, _ arguments: [String], input: String? = nil, environment: [String: String] = [:],
        seconds: TimeInterval = 60
    ) throws -> Finished {
        // Files, not pipes: nothing can fill up.
        let folder = try Surroundings.temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try (input ?? "").write(toFile: folder + "/in", atomically: false, encoding: .utf8)
        let process = try ChildProcess(
            path, arguments, environment: environment, input: folder + "/in", output: folder + "/out",
            errors: folder + "/err")
        let status = process.wait(seconds: seconds)
        process.kill()
        func text(_ name: String) -> String {
            String(decoding: FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data(), as: UTF8.self)
        }
        guard let status else {
            throw ProcessFailure(
                description: "\(path) \(arguments) ran longer than \(seconds) s: \(text("err").suffix(800))")
        }
        return Finished(status: status, output: text("out"), errors: text("err"))
    }
}

/// A program that runs beside a test, with what it has said so far.
final class RunningProgram {
    let process: ChildProcess
    private let folder: String

    init(_ path: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        folder = try Surroundings.temporaryFolder()
        process = try ChildProcess(
            path, arguments, environment: environment, output: folder + "/out", errors: folder + "/err")
    }

    var output: String { text("out") }
    var errors: String { text("err") }
    /// Those that are complete.
    var lines: [String] { output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init) }

    func stop() {
        process.kill()
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func text(_ name: String) -> String {
        String(decoding: FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data(), as: UTF8.self)
    }
}

/// Asks again and again until it is so; `seconds` are those of a quiet machine: no test sleeps for a time that it guessed.
func eventually(_ what: String, within seconds: Double = 20, _ holds: () throws -> Bool) throws {
    let end = ContinuousClock.now + .seconds(seconds * hangFactor)
    while try !holds() {
        guard ContinuousClock.now < end else {
            throw ProcessFailure(description: "not within \(seconds * hangFactor) s: \(what)")
        }
        usleep(50_000)
    }
}

import Foundation
import TidegateConfiguration
import TidegateControl
import TidegateHTTP
import TidegateIdentity

extension Command {
    static let unmask = Command(
        name: "unmask", summary: "asks a running gateway what tokens stand for",
        usage: "[--url URL] [--ca FILE] [--route R] [--json] [TOKEN...]; without tokens, lines of standard input",
        example: "TIDEGATE_TOKEN=$(cat token) tidegate unmask --url https://gw.example.com tgs1_...",
        options: ["--url", "--ca", "--route"], flags: ["--json"], words: UnmaskPage.limit
    ) { arguments in
        let environment = ProcessInfo.processInfo.environment
        let url = arguments.value("--url") ?? environment["TIDEGATE_URL"] ?? "http://127.0.0.1:8480"
        guard let host = TextForms.host(ofURL: url) else {
            throw CommandLineArguments.UsageError(message: "'\(url)' is no address of a gateway")
        }
        guard url.hasPrefix("https://") || TextForms.isLoopback(host) else {
            throw CommandLineArguments.UsageError(
                message: "'\(url)' is plaintext outside loopback: token and values would travel in the clear")
        }
        guard let token = environment["TIDEGATE_TOKEN"], !token.isEmpty, !token.contains(where: \.isNewline) else {
            throw CommandLineArguments.UsageError(message: "TIDEGATE_TOKEN holds no token")
        }
        var tokens = arguments.positional
        if tokens.isEmpty { while let line = readLine() { tokens.append(line) } }
        let client = HTTPClient(caFile: arguments.value("--ca"), timeoutMilliseconds: 10_000, limit: 64 << 20)
        var values: [JSONValue] = []
        for start in stride(from: 0, to: tokens.count, by: UnmaskPage.limit) {
            let part = Array(tokens[start..<min(start + UnmaskPage.limit, tokens.count)])
            let answer = try await ask(client, url, token, part, route: arguments.value("--route"))
            guard answer.status == 200, case .array(let found)? = JSONValue(answer.body)?.value(at: "values"),
                found.count == part.count
            else {
                var reason = "the gateway answers with status \(answer.status)"
                if case .string(let text)? = JSONValue(answer.body)?.value(at: "error") { reason = text }
                Output.error("tidegate unmask: \(reason)\n")
                return 1
            }
            values += found
        }
        return show(values, asJSON: arguments.flags.contains("--json"))
    }

    private struct Question: Encodable {
        var tokens: [String]
        var route: String?
    }

    /// Asks again for a moment while the gateway verifies the token.
    private static func ask(
        _ client: HTTPClient, _ url: String, _ token: String, _ tokens: [String], route: String?
    ) async throws -> HTTPClient.Answer {
        let body = Array(try JSONEncoder().encode(Question(tokens: tokens, route: route)))
        let address = (url.hasSuffix("/") ? String(url.dropLast()) : url) + UnmaskPage.path
        let headers = ["Content-Type: application/json", "Authorization: Bearer \(token)"]
        var answer = try await client.post(address, headers: headers, body: body)
        for _ in 0..<20 where answer.status == 503 {
            try await Task.sleep(for: .milliseconds(250))
            answer = try await client.post(address, headers: headers, body: body)
        }
        return answer
    }

    private struct Line: Encodable {
        var value, base64, error: String?
    }

    /// Values to standard output, a line each, an empty one for what was not opened.
    ///
    /// - Returns: 1 where something was not opened.
    private static func show(_ values: [JSONValue], asJSON: Bool) -> Int32 {
        var lines: [Line] = []
        var bytes: [UInt8] = []
        for (index, value) in values.enumerated() {
            var line = Line()
            switch value.value(at: "value") {
            case .string(let text):
                line.value = text
                bytes += Array(text.utf8)
            case .some(let content):
                // What is not UTF-8.
                guard case .string(let text)? = content.value(at: "base64"), let data = Data(base64Encoded: text) else {
                    line.error = "an answer that is not understood"
                    break
                }
                line.base64 = text
                bytes += Array(data)
            case nil:
                if case .string(let reason)? = value.value(at: "error") {
                    line.error = reason
                } else {
                    line.error = "an answer that is not understood"
                }
            }
            bytes.append(10)
            if let error = line.error, !asJSON { Output.error("tidegate unmask: token \(index + 1): \(error)\n") }
            lines.append(line)
        }
        if asJSON { Output.json(lines) } else { Output.bytes(bytes) }
        return lines.contains { $0.error != nil } ? 1 : 0
    }
}

import TestSupport
import Testing
import TidegateCore
import TidegateRedis

@Suite struct CommandReaderTests {
    private func read(_ text: String, isAuthenticated: Bool = true) throws -> (words: [String], end: Int)? {
        try RedisInspection.arguments(of: Array(text.utf8), isAuthenticated: isAuthenticated).map {
            ($0.words.map { String(decoding: $0, as: UTF8.self) }, $0.end)
        }
    }

    @Test func `an array of bulks is a request, and ends where its last bulk does`() throws {
        let request = "*2\r\n$4\r\nECHO\r\n$5\r\na\r\nbc\r\n"
        let found = try #require(try read(request + "*1\r\n$4\r\nPING\r\n"))
        #expect(found.words == ["ECHO", "a\r\nbc"])
        #expect(found.end == request.utf8.count)
    }

    @Test(arguments: ["*0\r\n", "*-1\r\n", "\r\n", "\n", "  \r\n"])
    func `what Redis answers nothing to has no words`(request: String) throws {
        let found = try #require(try read(request))
        #expect(found.words.isEmpty)
        #expect(found.end == request.utf8.count)
    }

    @Test func `a request is asked for until it is whole, byte by byte`() throws {
        for request in ["*3\r\n$3\r\nSET\r\n$0\r\n\r\n$2\r\n\r\n\r\n", "GET key\r\n", "SET k \"a b\"\r\n"] {
            let bytes = Array(request.utf8)
            for count in 0..<bytes.count {
                #expect(try RedisInspection.arguments(of: Array(bytes[..<count])) == nil, "\(request) \(count)")
            }
            #expect(try RedisInspection.arguments(of: bytes)?.end == bytes.count)
        }
    }

    @Test func `one reader goes on where it stopped, over many requests, byte by byte`() throws {
        let requests =
            "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\r\nb\r\n*0\r\nPING\r\n*1\r\n$4\r\nPING\r\nSET k \"a b\"\r\n*1\r\n$0\r\n\r\n"
        let words = try RedisInspection.drip(Array(requests.utf8)).map {
            $0.map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(words == [["SET", "k", "a\r\nb"], [], ["PING"], ["PING"], ["SET", "k", "a b"], [""]])
    }

    @Test(arguments: [
        // Redis skips two bytes after a bulk, whatever they are; the next request would be read elsewhere.
        "*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n", "*1\r\n$4\r\nPING\n\n", "*1\r\n$4\r\nPING\r\r", "*1\r\n+PING\r\n",
        "*x\r\n", "*1 \r\n", "*+1\r\n", "*01\r\n", "*\r\n", "*1\r\n$\r\n", "*1\r\n$-1\r\n", "*1\r\n$+4\r\nPING\r\n",
        "*1\r\n$04\r\nPING\r\n", "*1\r\n$2000000\r\n", "*1048577\r\n", "*9223372036854775808\r\n",
        "*1\r\n$9223372036854775807\r\n",
        "*1\rx", "*1111111111111111111111111111111111111111111", "PING\0\r\n", "PI\u{1}NG\r\n",
    ])
    func `what is no request, or too big a one, ends the connection`(request: String) {
        #expect(throws: WireViolation.self) { try read(request) }
    }

    @Test func `before authentication there are ten arguments at most, of 16 KiB at most`() throws {
        let ten = "*10\r\n" + String(repeating: "$1\r\na\r\n", count: 10)
        #expect(try read(ten, isAuthenticated: false)?.words.count == 10)
        #expect(throws: WireViolation.self) { try read("*11\r\n", isAuthenticated: false) }
        #expect(try read("*11\r\n") == nil)
        let long = "*1\r\n$16384\r\n" + String(repeating: "a", count: 16384) + "\r\n"
        #expect(try read(long, isAuthenticated: false)?.words.first?.utf8.count == 16384)
        #expect(throws: WireViolation.self) { try read("*1\r\n$16385\r\n", isAuthenticated: false) }
    }

    @Test(arguments: [
        ("PING\r\n", ["PING"]), ("PING\n", ["PING"]), ("  SET  k\tv \r\n", ["SET", "k", "v"]),
        ("SET k \"a b\"\r\n", ["SET", "k", "a b"]), ("SET k 'a b'\r\n", ["SET", "k", "a b"]),
        ("SET k \"\\x41\\n\\\"\\q\"\r\n", ["SET", "k", "A\n\"q"]),
        ("SET k 'it\\'s \\n'\r\n", ["SET", "k", "it's \\n"]),
        ("SET k \"\"\r\n", ["SET", "k", ""]), ("SET k a\"b c\"\r\n", ["SET", "k", "ab c"]),
    ])
    func `a line of words is a request`(line: String, words: [String]) throws {
        let found = try #require(try read(line))
        #expect(found.words == words)
        #expect(found.end == line.utf8.count)
    }

    @Test(arguments: ["SET k \"a\r\n", "SET k 'a\r\n", "SET k \"a\"b\r\n", "SET k 'a'b\r\n", "\"\r\n", "SET \"\\\r\n"])
    func `quotes that do not close have no words`(line: String) throws {
        #expect(try read(line) == nil)
    }

    @Test func `a line longer than 64 KiB is refused before it ends`() {
        #expect(throws: WireViolation.self) { try read(String(repeating: "a", count: 70_000)) }
    }

    @Test(arguments: 0..<4)
    func `random bytes never trap, and no request ends outside of them`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let pieces = [
            "*1", "*2", "$4", "$0", "\r\n", "PING", "\"", "'", "\\x4", " ", "\n", "*-1", "$-1", "\0", "x", "é",
        ]
        var whole = 0
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }
            let bytes = Array(text.joined().utf8)
            guard let found = try? RedisInspection.arguments(of: bytes) else { continue }
            whole += 1
            #expect(found.end > 0 && found.end <= bytes.count)
        }
        #expect(whole > 1000)
    }
}

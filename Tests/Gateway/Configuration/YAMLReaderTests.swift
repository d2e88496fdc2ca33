import Testing
import TidegateConfiguration
import TidegateCore

@Suite struct YAMLReaderTests {
    private func failure(_ text: String) -> String? {
        do throws(ConfigurationProblem) {
            _ = try YAMLReader.read(Array(text.utf8), file: "t")
            return nil
        } catch { return "\(error.mark.line):\(error.mark.column): \(error.message)" }
    }

    @Test func `nodes know place and path`() throws {
        let root = try YAMLReader.read(Array("a:\n  - b: 'true'\n    c: true\n".utf8), file: "t")
        let element = try #require(root["a"]?.elements.first)
        let quoted = try #require(element["b"])
        let plain = try #require(element["c"])
        #expect(quoted.path == "a[0].b" && quoted.mark == ConfigurationMark(file: "t", line: 2, column: 8))
        #expect(quoted.boolean == nil && quoted.text == "true" && plain.boolean == true)
    }

    @Test(arguments: [
        ("", "1:1: the file is empty"), ("# nothing\n", "1:1: the file is empty"),
        ("a: 1\na: 2\n", "2:1: 'a' stands twice"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "3:3: merge keys are not read"),
        ("a: 1\n---\nb: 2\n", "2:1: a second document"),
        ("a: &r [*r]\n", "1:4: nested too deep, or an alias that holds itself"),
        ("[a]: 1\n", "1:1: a key that is no text"),
    ])
    func `refuses what could mean more than was meant`(text: String, expected: String) {
        #expect(failure(text) == expected)
    }

    @Test func `what is wrong with a key hides nothing else`() throws {
        var problems: [ConfigurationProblem] = []
        let text = "a: 1\na: 2\nb: { <<: {c: 1}, [d]: 2, e: 3 }\n? [f]\n: 4\ng: 5\ng: 6\n"
        let root = try YAMLReader.read(Array(text.utf8), file: "t", noting: &problems)
        #expect(
            problems.map { "\($0.mark.line): \($0.message)" } == [
                "2: 'a' stands twice", "3: merge keys are not read", "3: a key that is no text",
                "4: a key that is no text", "7: 'g' stands twice",
            ])
        #expect(root["a"]?.text == "1" && root["b"]?["e"]?.text == "3" && root["g"]?.text == "5")
    }

    @Test func `depth and length are refused before they cost anything`() {
        let clock = ContinuousClock()
        let time = clock.measure {
            #expect(failure(String(repeating: "[", count: 200_000)) == "1:65: nested too deep")
            #expect(failure(String(repeating: "{a: ", count: 200_000)) == "1:257: nested too deep")
            #expect(failure(String(repeating: "- ", count: 200_000))?.contains("nested too deep") == true)
        }
        #expect(time < .seconds(10))
        #expect(failure(String(repeating: "#", count: 1 << 20) + "\n") == "1:1: the file is longer than 1 MiB")
    }

    @Test func `refuses aliases that blow up, and what is nested without end`() {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...8 {
            bomb += "a\(level): &a\(level) [\((0..<10).map { _ in "*a\(level - 1)" }.joined(separator: ", "))]\n"
        }
        #expect(failure(bomb)?.contains("nested too deep") == true)
        #expect(failure(String(repeating: "[", count: 20_000)) != nil)
        #expect(
            failure(String(repeating: "[", count: 70) + String(repeating: "]", count: 70))?.contains("too deep") == true
        )
    }

    @Test func `refuses what is not UTF-8`() {
        #expect(throws: ConfigurationProblem.self) { try YAMLReader.read([0x61, 0x3A, 0x20, 0xFF], file: "t") }
    }
}

import Foundation

/// What `.proto` files import, as far as their text tells: also of files that libprotobuf would not take.
struct ProtobufImports {
    private let text: [UInt8]
    private var at = 0

    /// The names of the files that a file's text imports, in its order.
    static func names(in text: [UInt8]) -> [String] {
        var scanner = ProtobufImports(text: text)
        return scanner.names()
    }

    private init(text: [UInt8]) { self.text = text }

    private enum Token {
        case word([UInt8])
        case string([UInt8])
        case mark(UInt8)
    }

    /// `import "a.proto";`, with `public`, `weak` or `option` before the name (Protocol Buffers, Language Specification).
    private mutating func names() -> [String] {
        var names: [String] = []
        var beginsStatement = true
        // The name of an import that is being read.
        var name: [UInt8]?
        while let token = next() {
            switch token {
            case .word(let word):
                if beginsStatement { name = word == Array("import".utf8) ? [] : nil }
                beginsStatement = false
            case .string(let part):
                // Strings beside each other are one.
                name?.append(contentsOf: part)
                beginsStatement = false
            case .mark(let mark):
                if mark == UInt8(ascii: ";"), let name, !name.isEmpty {
                    names.append(String(decoding: name, as: UTF8.self))
                }
                name = nil
                beginsStatement = [UInt8(ascii: ";"), UInt8(ascii: "{"), UInt8(ascii: "}")].contains(mark)
            }
        }
        return names
    }

    private func byte(_ index: Int) -> UInt8? { index < text.count ? text[index] : nil }

    private mutating func next() -> Token? {
        while let byte = byte(at) {
            switch byte {
            case 0...0x20: at += 1
            case UInt8(ascii: "/") where self.byte(at + 1) == UInt8(ascii: "/"):
                while let byte = self.byte(at), byte != 10 { at += 1 }
            case UInt8(ascii: "/") where self.byte(at + 1) == UInt8(ascii: "*"):
                at += 2
                while at < text.count, !(text[at] == UInt8(ascii: "*") && self.byte(at + 1) == UInt8(ascii: "/")) {
                    at += 1
                }
                at += 2
            case UInt8(ascii: "\""), UInt8(ascii: "'"): return string(byte)
            default:
                let start = at
                while let byte = self.byte(at), ProtobufImports.isWord(byte) { at += 1 }
                if at > start { return .word(Array(text[start..<at])) }
                at += 1
                return .mark(byte)
            }
        }
        return nil
    }

    private mutating func string(_ quote: UInt8) -> Token {
        var content: [UInt8] = []
        at += 1
        while let byte = byte(at), byte != quote, byte != 10 {
            if byte == UInt8(ascii: "\\") { at += 1 }
            if let byte = self.byte(at) { content.append(byte) }
            at += 1
        }
        at += 1
        return .string(content)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a || byte >= 0x30 && byte <= 0x39 || byte == 0x5f || byte == 0x2e
    }
}

extension Schema {
    /// The files that a `.proto` imports, directly or not, whether they are there or not; of any other file none.
    public static func imports(ofFile file: String) -> [String] {
        guard file.lowercased().hasSuffix(".proto") else { return [] }
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
        var found: [String] = []
        var known: Set<String> = [URL(fileURLWithPath: file).standardizedFileURL.path]
        var waiting = [file]
        var bytes = 0
        while let next = waiting.popLast(), bytes < includeByteLimit {
            guard let data = try? Data(contentsOf: URL(fileURLWithPath: next)) else { continue }
            bytes += data.count
            for name in ProtobufImports.names(in: Array(data)) {
                // libprotobuf brings its own; and nothing outside of the folder is read.
                if name.hasPrefix("google/protobuf/") || name.hasPrefix("/") { continue }
                if name.split(separator: "/").contains("..") { continue }
                let path = folder.appending(path: name).standardizedFileURL.path
                guard found.count < fileLimit, known.insert(path).inserted else { continue }
                found.append(path)
                waiting.append(path)
            }
        }
        return found
    }
}

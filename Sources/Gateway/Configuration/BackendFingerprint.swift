import Foundation
import TidegateCore
import TidegateCrypto

extension Configuration.Backend {
    /// What makes a backend another one: its settings, and what the files that they name hold by now. Holds no secret.
    public var fingerprint: String {
        var text = protocolName
        func visit(_ node: ConfigurationNode) {
            switch node.content {
            case .scalar(let word, _): text += "|\(word.utf8.count):\(word)"
            case .sequence(let elements):
                text += "["
                elements.forEach(visit)
                text += "]"
            case .mapping(let entries):
                text += "{"
                for (key, value) in entries {
                    visit(key)
                    visit(value)
                }
                text += "}"
            }
        }
        visit(settings)
        for file in files {
            let digest = FileManager.default.contents(atPath: file).map { HashAlgorithm.sha256.hash(Array($0)) }
            text += "#\(digest.map { "\($0)" } ?? "-")"
        }
        return text
    }
}

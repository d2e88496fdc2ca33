import TidegateCore

/// What the group members of one connection said last that they subscribe to, as the operations that it asks for.
struct Subscriptions {
    typealias Key = KafkaMachine.SubscriptionKey

    /// Members of one connection, and operations of all of them; beyond, all is forgotten, and members say it again.
    private static let limit = (members: 64, operations: 65_536)
    private var said: [Key: [Operation]] = [:]
    private var operations = 0

    subscript(key: Key) -> [Operation]? { said[key] }

    mutating func set(_ key: Key, _ named: [Operation]) {
        remove(key)
        if said.count >= Subscriptions.limit.members || operations + named.count > Subscriptions.limit.operations {
            said = [:]
            operations = 0
        }
        said[key] = named
        operations += named.count
    }

    mutating func remove(_ key: Key) {
        if let old = said.removeValue(forKey: key) { operations -= old.count }
    }

    /// The member has got its id.
    mutating func rename(_ key: Key, to member: [UInt8]) {
        guard let named = said[key] else { return }
        remove(key)
        var renamed = key
        renamed.member = member
        set(renamed, named)
    }
}

import TidegateCore
import TidegateWire

/// Where the server is, and what clients are told of the others.
extension RedisMachine {
    /// What became of the way to the server.
    enum Joining {
        /// It is taken, or was before.
        case done
        /// The side connection is asked where the server is: the same bytes come again.
        case parked
        /// Nobody knows; the session ends.
        case nowhere
    }

    /// Starts the server's side once it is known who asks.
    mutating func join(_ governor: borrowing Governor, _ output: inout WireOutput) -> Joining {
        guard phase == .greeting else { return .done }
        guard let found = servers.join(node, waking: governor.waker) else {
            if servers.isAwaited(&question, waking: governor.waker) {
                output.park(.client)
                return .parked
            }
            output.close(.backendUnreachable)
            return .nowhere
        }
        joined = found
        phase = .joining
        output.connect(found.endpoint)
        return .done
    }

    /// The servers are known anew: where this one's number is another's now (a new primary), the client must come again.
    /// Its server may be cut off, so that answers are not waited for.
    func lookForServer(_ output: inout WireOutput) {
        if let joined, servers.hasMoved(joined) { output.close(.backendEnded) }
    }

    // MARK: Addresses

    private func addresses(_ governor: borrowing Governor) -> GatewayAddresses {
        GatewayAddresses(
            topology: servers.current, advertise: governor.session.route.advertise, node: joined?.node ?? 0)
    }

    /// The words in the place of an error that names another node; nil where the reply is none.
    func redirected(_ reply: Range<Int>, _ window: RawSpan, _ governor: borrowing Governor) -> [UInt8]? {
        let addresses = addresses(governor)
        guard let redirection = Redirection(reply, window, addresses) else { return nil }
        if let words = redirection.words { return words }
        servers.askRefresh()
        servers.reportUnreachable()
        return Redirection.nowhere
    }

    /// An answer that names nodes, with the gateway's addresses; nil where it names none.
    func renamed(
        _ answer: ReplyDeliveries.Answer, _ bytes: RawSpan, _ governor: borrowing Governor
    ) throws(ShapeFailure) -> [UInt8]? {
        if Redirection.mayBe(bytes, at: answer.range.lowerBound),
            let words = redirected(answer.range, bytes, governor)
        {
            return words
        }
        guard answer.entry.shape.namesNodes else { return nil }
        let addresses = addresses(governor)
        return try AddressReplies.rewritten(answer.entry.shape, answer.range, bytes, addresses)
    }
}

extension ReplyShape {
    /// Answers that `AddressReplies` writes anew.
    var namesNodes: Bool {
        switch self {
        case .role, .information, .clusterSlots, .clusterShards, .clusterNodes: true
        default: false
        }
    }
}

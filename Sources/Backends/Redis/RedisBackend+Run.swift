import TidegateCore

/// One connection of the gateway's own keeps the topology true.
///
/// It speaks through the gateway's loops as sessions do. hiredis is not used: Debian 12 has 0.14, which knows neither TLS nor
/// RESP3, and two commands need no library.
extension RedisBackend {
    /// Asks a cluster's nodes every five seconds, sentinels every second, and either within a second where a session meets
    /// what nobody knows. One that does not answer is left for the next.
    func discover() async {
        guard let connections = services.sideConnections, !servers.settings.discovery.isFixed else {
            return servers.retire()
        }
        defer { servers.retire() }
        var turn = 0
        var failures = 0
        while !Task.isCancelled {
            let targets = servers.targets
            guard !targets.isEmpty else { return }
            let target = targets[turn % targets.count]
            turn = (turn + 1) % targets.count
            let before = servers.answers
            await ask(target, by: connections)
            if Task.isCancelled { break }
            if servers.answers != before {
                failures = 0
            } else {
                servers.noteFailure(of: target)
                failures += 1
            }
            if failures >= targets.count {
                failures = 0
                servers.noteFailedRound()
                try? await Task.sleep(for: .seconds(1))
            } else if failures == 0 {
                try? await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    /// Seconds after which a server that has not answered is left.
    private static let patience = 3
    /// Seconds after which the next server is asked, while some configured one has not said who it is.
    private static let stay = 30

    /// Returns when the connection has ended.
    private func ask(_ target: RedisServers.Target, by connections: any SideConnections) async {
        let servers = servers
        let interval = servers.settings.discovery.isCluster ? 5 : 1
        let (endings, ended) = AsyncStream.makeStream(of: CloseReason.self)
        let connection = connections.open(
            { MachineOf(TopologyMachine(servers: servers, target: target)) },
            ended: { reason in
                ended.yield(reason)
                ended.finish()
            })
        let ticking = Task {
            var seen = servers.answers
            var (isOwed, silent, rested) = (true, 0, 0)
            var age = 0
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(1))
                age += 1
                if age > RedisBackend.stay, servers.hasStranger { return connection.close() }
                let answers = servers.answers
                if answers != seen {
                    (seen, isOwed, silent) = (answers, false, 0)
                } else if isOwed {
                    silent += 1
                    if silent >= RedisBackend.patience { return connection.close() }
                }
                rested += 1
                if !isOwed, servers.takeWish() || rested >= interval {
                    (isOwed, silent, rested) = (true, 0, 0)
                    connection.wake()
                }
            }
        }
        await withTaskCancellationHandler {
            for await _ in endings {}
        } onCancel: {
            connection.close()
        }
        ticking.cancel()
    }
}

import Dispatch
import Synchronization
import TidegateControl
import TidegateCore
import TidegateEvidence
import TidegateTransport

/// What /metrics shows, gathered from the loops when it is asked for.
final class GatewayFigures: MetricsSource {
    private let transport: TransportRuntime
    private let evidence: EvidenceWriter
    let masks: MaskTallies
    private let last = Mutex(TransportRuntime.Figures())
    private let reloads = Mutex(GatewayMetrics.Reloads())

    init(transport: TransportRuntime, evidence: EvidenceWriter, masks: MaskTallies) {
        self.transport = transport
        self.masks = masks
        self.evidence = evidence
    }

    func reloaded(successfully: Bool) {
        reloads.withLock { reloads in
            reloads.isLastSuccessful = successfully
            if successfully {
                reloads.accepted += 1
                reloads.lastSuccess = .current
            } else {
                reloads.rejected += 1
            }
        }
    }

    /// Waits for the loops' answers on the control server's thread, a moment at most.
    func metrics() -> GatewayMetrics {
        let gathered = Mutex<TransportRuntime.Figures?>(nil)
        let done = DispatchSemaphore(value: 0)
        transport.figures { figures in
            gathered.withLock { $0 = figures }
            done.signal()
        }
        _ = done.wait(timeout: .now() + 2)
        // A loop that does not answer must not look like counters that began anew.
        let figures = last.withLock { last in
            if let figures = gathered.withLock({ $0 }) { last = figures }
            return last
        }
        let status = evidence.status
        var written = GatewayMetrics.Evidence()
        written.isWritable = status.isWritable
        written.lines = status.linesWritten
        written.bytes = status.bytesWritten
        written.commits = status.commits
        written.failures = status.failures
        written.linesLost = status.linesLost
        written.lastCommitSeconds = status.lastCommitSeconds
        written.oldestWaitingSeconds = status.oldestWaitingSeconds
        written.freeBytes = status.freeBytes
        return GatewayMetrics(
            routes: figures.routes.map { name, counts in
                .init(route: name, protocolName: figures.protocols[name] ?? "", counts: counts)
            },
            masks: masks.counts, reloads: reloads.withLock { $0 }, evidence: written, version: Version.text,
            driver: transport.driverName)
    }
}

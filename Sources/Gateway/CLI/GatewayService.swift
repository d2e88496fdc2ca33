import Foundation
import Synchronization
import TidegateConfiguration
import TidegateControl
import TidegateCore
import TidegateCrypto
import TidegateEvidence
import TidegateHTTP
import TidegateTransport

/// A running gateway: what was assembled, and what replaces it on a reload.
actor GatewayService {
    struct StartError: Error, CustomStringConvertible {
        var description: String

        init(_ reason: any Error) { description = "\(reason)" }
        /// All of them, one a line, in the order of the file.
        init(_ problems: ConfigurationProblems) {
            let list = ConfigurationProblems(problems.list.inOrder)
            description = "the configuration has errors\n\(list)"
        }
    }

    /// From the signal to the end, the last sync of evidence included.
    static let drainSeconds = 25
    private static let secondsToStore = 2

    private let file: String
    private let log: Log
    private let evidence: EvidenceWriter
    private let transport: TransportRuntime
    private let figures: GatewayFigures
    private let readiness: ReadinessState
    private let control: HTTPServer
    private let unmasking: Unmasking
    private var assembly: Assembly
    private var running: [String: (fingerprint: String, task: Task<Void, Never>)] = [:]
    private let watcher = FileWatcher()
    private var watching: Task<Void, Never>?

    /// The port of health and metrics.
    nonisolated var adminPort: UInt16 { control.port }

    /// Reads the configuration and starts everything; what cannot be started ends what was.
    init(file: String) throws {
        self.file = file
        let reading = ConfigurationReader(backends: Backends.declarations).read(file: file)
        guard let configuration = reading.configuration else {
            throw StartError(ConfigurationProblems(reading.problems + Assembly.tryBackends(reading)))
        }
        for problem in reading.problems { Output.error("\(problem)\n") }
        let log = Log(minimum: configuration.logLevel)
        self.log = log
        let descriptors = Descriptors.raise()
        readiness = ReadinessState()
        let prefix = String(UInt64(bitPattern: Instant.current.nanoseconds / 1_000_000), radix: 36)
        evidence = try EvidenceWriter(
            EvidenceSettings(
                directory: configuration.evidence.directory,
                durability: configuration.evidence.isStrict ? .strict : .relaxed,
                onFailure: configuration.evidence.stopsOnFailure ? .stop : .gap), idPrefix: prefix, log: log)
        var settings = TransportRuntime.Settings()
        settings.loops = configuration.transport.loops
        settings.driver = DriverChoice(rawValue: configuration.transport.driver) ?? .auto
        settings.isStrict = configuration.evidence.isStrict
        settings.totalBytes = configuration.limits.totalBytes
        settings.descriptors = descriptors
        // Its own connections, and for each backend and issuer what is asked beside sessions.
        settings.otherDescriptors =
            HTTPServer.Limits().connections + 4 * (configuration.backends.count + configuration.issuers.count)
        let services = GatewayServices(log: log)
        let made: Assembly
        do throws(ConfigurationProblems) {
            made = try Assembly(
                configuration, reading.secrets, version: 1, services: { services.make($0) }, keeping: [], log: log)
        } catch { throw StartError(error) }
        assembly = made
        transport = try TransportRuntime(
            settings, authority: made.authority(), ledger: SessionLedger(), sink: evidence, log: log)
        services.attach(transport)
        figures = GatewayFigures(
            transport: transport, evidence: evidence, masks: MaskTallies(configuration.profiles))
        do {
            try transport.replaceListeners(made.listeners)
            let pages = ControlPages(readiness: readiness, metrics: figures)
            // What a request may bring: tokens to open.
            var limits = HTTPServer.Limits()
            limits.bodyBytes = 1 << 20
            let unmasking = Unmasking(configuration, made.verifier, evidence)
            self.unmasking = unmasking
            control = try HTTPServer(
                host: configuration.admin.host == "localhost" ? "127.0.0.1" : configuration.admin.host,
                port: configuration.admin.port, tls: configuration.admin.tls.map(Assembly.context), limits: limits
            ) { request in
                let answer =
                    request.path == UnmaskPage.path
                    ? unmasking.answer(request) : pages.answer(method: request.method, path: request.path)
                var headers = answer.allow.map { ["Allow": $0] } ?? [:]
                if answer.status == 401 { headers["WWW-Authenticate"] = "Bearer" }
                if answer.status == 503, request.method == "POST" { headers["Retry-After"] = "1" }
                return HTTPResponse(
                    status: answer.status, contentType: answer.contentType, headers: headers, body: answer.body)
            }
        } catch {
            transport.shutdown()
            throw StartError(error)
        }
        if transport.connectionLimit < configuration.limits.sessions {
            log.warning(
                "limits.sessions is more than the system has descriptors for",
                [
                    "sessions": "\(configuration.limits.sessions)", "possible": "\(transport.connectionLimit)",
                    "descriptors": "\(descriptors)",
                ])
        }
        watcher.watch(reading.states)
        figures.reloaded(successfully: true)
        for condition in [ReadinessState.Condition.configurationLoaded, .listenersBound, .evidenceWritable] {
            readiness.set(condition, true)
        }
        log.info(
            "gateway is running",
            [
                "version": Version.text, "driver": transport.driverName,
                "admin": "\(configuration.admin.host):\(control.port)",
                "routes": configuration.routes.map { "\($0.name)=\($0.host):\($0.port)" }.joined(separator: " "),
            ])
    }

    /// Starts what goes on by itself: backends' side connections, and the look at files.
    func begin() {
        startBackends()
        watching = Task { [weak self] in
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(1))
                guard let self else { return }
                await self.look()
            }
        }
    }

    private func look() async {
        readiness.set(.evidenceWritable, evidence.status.isResponsive)
        if watcher.hasSettledChange() { await reload("a file has changed") }
    }

    private func startBackends() {
        var kept: [String: (fingerprint: String, task: Task<Void, Never>)] = [:]
        for backend in assembly.backends {
            if let same = running[backend.name], same.fingerprint == backend.fingerprint {
                kept[backend.name] = same
            } else {
                let object = backend.backend
                kept[backend.name] = (backend.fingerprint, Task.detached { await object.run() })
            }
        }
        for (name, old) in running where kept[name]?.task != old.task { old.task.cancel() }
        running = kept
    }

    // MARK: Reload

    /// Reads everything anew; a set with an error is refused whole, and the old one stays in force.
    ///
    /// - Returns: true where the new set is in force on every loop.
    @discardableResult
    func reload(_ reason: String) async -> Bool {
        let reading = ConfigurationReader(backends: Backends.declarations).read(file: file)
        watcher.watch(reading.states)
        guard let configuration = reading.configuration else {
            let problems = (reading.problems + Assembly.tryBackends(reading)).inOrder
            return reject(problems.filter { $0.severity == .error }.map(\.description))
        }
        for problem in reading.problems { log.warning("configuration has a warning", ["problem": "\(problem)"]) }
        if let fixed = unchangeable(configuration) { return reject([fixed]) }
        let services = GatewayServices(log: log)
        services.attach(transport)
        let next: Assembly
        do throws(ConfigurationProblems) {
            next = try Assembly(
                configuration, reading.secrets, version: assembly.version + 1, services: { services.make($0) },
                keeping: assembly.backends, verifier: assembly.verifier, log: log)
        } catch { return reject(error.list.map(\.description)) }
        let (inForce, isInForce) = AsyncStream.makeStream(of: Void.self)
        do {
            // All that can fail comes before anything is swapped.
            let certificate = try configuration.admin.tls.map(Assembly.context)
            try transport.replaceListeners(next.listeners, under: next.authority()) { isInForce.finish() }
            if let certificate { control.replace(tls: certificate) }
        } catch { return reject(["\(error)"]) }
        assembly = next
        startBackends()
        for await _ in inForce {}
        figures.masks.replace(configuration.profiles)
        unmasking.replace(configuration, next.verifier)
        figures.reloaded(successfully: true)
        evidence.write("config.reloaded") { JSONText.member("reason", reason, to: &$0) }
        log.info("configuration reloaded", ["reason": reason])
        return true
    }

    /// What is made once: another value needs a restart, and is not passed over.
    private func unchangeable(_ next: Configuration) -> String? {
        let old = assembly.configuration
        if next.evidence != old.evidence { return "evidence: a change of it needs a restart" }
        if next.transport != old.transport { return "transport: a change of it needs a restart" }
        if next.admin.host != old.admin.host || next.admin.port != old.admin.port
            || (next.admin.tls == nil) != (old.admin.tls == nil)
        {
            return "admin: another address needs a restart"
        }
        if next.limits.totalBytes != old.limits.totalBytes { return "limits.memory: a change of it needs a restart" }
        if next.logLevel != old.logLevel { return "log.level: a change of it needs a restart" }
        return nil
    }

    private func reject(_ problems: [String]) -> Bool {
        figures.reloaded(successfully: false)
        for problem in problems {
            log.error("configuration rejected, the old one stays in force", ["problem": problem])
        }
        evidence.write("config.rejected") { line in
            JSONText.member("reason", problems.first ?? "", to: &line)
            JSONText.member("problems", problems.count, to: &line)
        }
        return false
    }

    // MARK: The end

    /// Drains and stops; `drainSeconds` at most, where storage answers.
    func stop() async {
        log.info("draining", ["seconds": "\(GatewayService.drainSeconds)"])
        readiness.set(.notDraining, false)
        watching?.cancel()
        await transport.drain(seconds: GatewayService.drainSeconds - GatewayService.secondsToStore)
        for (_, old) in running { old.task.cancel() }
        transport.shutdown()
        evidence.close()
        control.stop()
        log.info("stopped")
    }
}

/// Gives backends their services; the transport comes later than they do.
final class GatewayServices: Sendable {
    private let log: Log
    private let transport = Mutex<TransportRuntime?>(nil)
    init(log: Log) { self.log = log }

    func attach(_ runtime: TransportRuntime) { transport.withLock { $0 = runtime } }

    func make(_ secrets: any SecretReader) -> BackendServices {
        BackendServices(log: log, secrets: secrets, sideConnections: LateSideConnections(services: self))
    }

    fileprivate var runtime: TransportRuntime? { transport.withLock { $0 } }
}

/// Side connections of a transport that may not be there yet when a backend is made, but is when it runs.
private struct LateSideConnections: SideConnections {
    let services: GatewayServices

    func open(
        _ make: @escaping @Sendable () -> any MachineBox, ended: @escaping @Sendable (CloseReason) -> Void
    ) -> SideConnection {
        guard let runtime = services.runtime else {
            ended(.draining)
            return SideConnection(wake: {}, close: {})
        }
        return runtime.open(make, ended: ended)
    }
}

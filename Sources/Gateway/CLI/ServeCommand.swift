import Dispatch
import Glibc

extension Command {
    static let serve = Command(
        name: "serve", summary: "runs the gateway; SIGHUP or a changed file reloads, SIGTERM drains",
        usage: "--config FILE", example: "tidegate serve --config tidegate.yaml", options: ["--config"]
    ) { arguments in
        let signals = SignalStream([SIGHUP, SIGTERM, SIGINT])
        let service = try GatewayService(file: try arguments.required("--config"))
        await service.begin()
        for await signal in signals.stream {
            if signal == SIGHUP {
                await service.reload("SIGHUP")
            } else {
                await service.stop()
                return 0
            }
        }
        return 0
    }
}

/// Signals as they come, instead of what they would do.
final class SignalStream {
    let stream: AsyncStream<Int32>
    private let sources: [any DispatchSourceSignal]

    init(_ signals: [Int32]) {
        let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
        self.stream = stream
        signal(SIGPIPE, SIG_IGN)
        sources = signals.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield(number) }
            source.resume()
            return source
        }
    }
}

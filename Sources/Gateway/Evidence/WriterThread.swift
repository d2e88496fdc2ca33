import Glibc

/// A thread of its own for work that blocks (storage), and the signal that wakes it.
@safe final class WriterThread: Sendable {
    private let thread: pthread_t

    /// - Parameter body: runs once, until it returns; keeps what it captures alive meanwhile.
    init(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let box = unsafe Unmanaged.passRetained(Body(body))
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let body = unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                body.run()
                return nil
            }, unsafe box.toOpaque())
        self.thread = thread
        if result != 0 {
            unsafe box.release()
            // invariant: at start only, before anything is promised to anybody
            preconditionFailure("no thread can be started")
        }
    }

    /// Waits until the body has returned; call once.
    func join() { _ = pthread_join(thread, nil) }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}

/// A signal between threads: a pipe, owned. Its times are monotonic, since `poll`'s are.
final class ThreadSignal: Sendable {
    private let reading: Int32
    private let writing: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        let isMade = unsafe pipe(&ends) == 0
        // invariant: at start only, before anything is promised to anybody
        if !isMade { preconditionFailure("no pipe can be had") }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (reading, writing) = (ends[0], ends[1])
    }

    deinit {
        close(reading)
        close(writing)
    }

    /// A full pipe is raised already.
    func raise() {
        var byte: UInt8 = 1
        _ = unsafe write(writing, &byte, 1)
    }

    /// Waits until raised since the last wait, at most so long; forever where nothing is said.
    func wait(milliseconds: Int32 = -1) {
        var waiting = pollfd(fd: reading, events: Int16(POLLIN), revents: 0)
        while unsafe poll(&waiting, 1, milliseconds) < 0, errno == EINTR {}
        var bytes = [UInt8](repeating: 0, count: 256)
        _ = unsafe read(reading, &bytes, bytes.count)
    }
}

/// Time that no clock setting moves.
enum Monotonic {
    static var milliseconds: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

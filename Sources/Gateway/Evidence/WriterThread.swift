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

/// A counting signal between threads: a POSIX semaphore, owned.
@safe final class ThreadSignal: Sendable {
    // Used by semaphore calls only, which are safe from any thread.
    private nonisolated(unsafe) let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        unsafe semaphore = .allocate(capacity: 1)
        unsafe sem_init(semaphore, 0, 0)
    }

    deinit {
        unsafe sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }

    func raise() { unsafe sem_post(semaphore) }

    func wait() {
        while unsafe sem_wait(semaphore) != 0, errno == EINTR {}
    }

    /// Waits until raised, at most so long.
    func wait(milliseconds: Int) {
        var until = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &until)
        let nanoseconds = until.tv_nsec + (milliseconds % 1000) * 1_000_000
        until.tv_sec += milliseconds / 1000 + nanoseconds / 1_000_000_000
        until.tv_nsec = nanoseconds % 1_000_000_000
        while unsafe sem_timedwait(semaphore, &until) != 0, errno == EINTR {}
    }
}

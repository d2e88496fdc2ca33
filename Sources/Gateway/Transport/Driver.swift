import Glibc
import TidegateCore

/// What arrived, told to the loop once a wake-up.
struct Arrival: BitwiseCopyable {
    enum Kind: UInt8, BitwiseCopyable { case accepted, received, sent, connected, mail }
    var kind: Kind
    /// True where the operation goes on by itself (multishot): no other end of it has come.
    var more: Bool
    /// The chunk that was filled from `BufferPool.room` on, with one reference for the loop; `BufferPool.none` is none.
    var buffer: BufferID
    /// Bytes, a descriptor, or an error number below zero.
    var result: Int32
    var token: Token
}

/// How a send began.
enum Sending {
    /// Its arrival will come.
    case pending
    case written(Int)
    /// Nothing fits; an arrival `sent` of zero bytes says when to try again.
    case blocked
    case failed(Int32)
}

/// Which operations of a descriptor are under way.
struct Operations: OptionSet, BitwiseCopyable {
    var rawValue: UInt8
    static let receiving = Operations(rawValue: 1)
    static let sending = Operations(rawValue: 2)
    static let connecting = Operations(rawValue: 4)
    /// A send was `blocked`.
    static let blocked = Operations(rawValue: 8)
}

/// The only part that knows the kernel: accept, receive, send, connect, wait, and the clocks.
///
/// Everything is called on the loop's thread. A token names a connection or a listener; what arrives for one that is gone
/// is the loop's to ignore. `receive` goes on until stopped, ended or failed: its last arrival has `more` false.
protocol Driver: AnyObject {
    var name: String { get }
    /// Bytes of the pool that are lent to the kernel for what may come: they hold nothing of anybody's.
    var bytesLent: Int { get }
    /// Wall-clock time, and nanoseconds of a clock that only rises.
    func clock() -> (wall: Instant, monotonic: Int64)
    /// Waits until something arrives, at most so long (nil: for ever), and appends it.
    func wait(upTo nanoseconds: Int64?, _ arrivals: inout [Arrival])

    func accept(on listener: CInt, _ token: Token)
    /// Stops accepting and closes the listener.
    func close(listener: CInt, _ token: Token)
    /// The address that a connection comes from, and the port it came to.
    func endpoints(of descriptor: CInt) -> (peer: SocketAddress, localPort: UInt16)?

    /// A new socket for `connect`; below zero is an error number.
    func open(to address: SocketAddress) -> CInt
    func connect(_ descriptor: CInt, _ token: Token, to address: SocketAddress)
    /// Makes an accepted or connected descriptor ready for `receive` and `send`.
    func adopt(_ descriptor: CInt, _ token: Token)
    func receive(_ descriptor: CInt, _ token: Token)
    /// - Returns: true where it has stopped; false where its last arrival is still to come.
    func stopReceiving(_ descriptor: CInt, _ token: Token) -> Bool
    func send(_ descriptor: CInt, _ token: Token, _ vectors: UnsafeMutableBufferPointer<iovec>) -> Sending
    /// Half-close: no more will be sent.
    func shutdownWrites(_ descriptor: CInt)
    /// Ends the operations under way.
    ///
    /// - Returns: those whose arrival is still to come; `close` waits for them.
    func cancel(_ descriptor: CInt, _ token: Token, _ operations: Operations) -> Operations
    /// - Parameter resetting: the peer gets a reset, and what the kernel still holds is discarded.
    func close(_ descriptor: CInt, _ token: Token, resetting: Bool)
    /// Before the pool goes: nothing of the kernel's points into it any more.
    func shut()
}

/// Which driver a gateway runs on.
public enum DriverChoice: String, Sendable, CaseIterable {
    case auto
    case ioUring = "io_uring"
    case epoll
}

// `relay-benchmark io_uring|epoll LISTEN-PORT BACKEND-PORT`: the gateway's transport with nothing to decide, on one loop.
import Glibc
import TidegateCore

let arguments = CommandLine.arguments
guard arguments.count == 4, let port = UInt16(arguments[2]), let backend = UInt16(arguments[3]) else {
    Log().error("usage: relay-benchmark io_uring|epoll LISTEN-PORT BACKEND-PORT")
    exit(2)
}
do {
    try serve(driver: arguments[1], port: port, backend: backend)
} catch {
    Log().error("cannot relay", ["reason": "\(error)"])
    exit(1)
}

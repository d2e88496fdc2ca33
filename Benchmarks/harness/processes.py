"""Processes that a benchmark starts, pins, measures and stops. Everything is on the loopback and bounded in time."""
import os
import shutil
import socket
import subprocess
import sys
import time

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def say(text=""):
    print(text, flush=True)


def warn(text):
    print(f"!!! {text}", file=sys.stderr, flush=True)


class Unavailable(Exception):
    """A mode that cannot be measured here, and why."""


def need(*programs):
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise Unavailable(f"not installed: {', '.join(missing)}")


def pinned(core, command):
    """The command on one core; as it is where `core` is None or the machine does not have it."""
    if core is None or core >= (os.cpu_count() or 1) or shutil.which("taskset") is None:
        return list(command)
    return ["taskset", "-c", str(core), *command]


def free_ports(offsets, first=21000, last=31000, step=100):
    """The lowest base such that nobody listens on base + each offset. Others may take one meanwhile: bind soon."""
    for base in range(first + os.getpid() % 50 * step, last, step):
        sockets = []
        try:
            for offset in offsets:
                held = socket.socket()
                sockets.append(held)
                held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                held.bind(("127.0.0.1", base + offset))
            return base
        except OSError:
            continue
        finally:
            for held in sockets:
                held.close()
    raise Unavailable("no free loopback ports")


def accepts(port, host="127.0.0.1"):
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


class Measured:
    """A process of ours: its CPU seconds and memory from /proc, its end at `stop`.

    `taskset` execs, so the pid is the measured program's own.
    """

    def __init__(self, name, command, log, core=None, cwd=None, env=None):
        self.name, self.log = name, log
        with open(log, "ab") as out:
            self.process = subprocess.Popen(
                pinned(core, command), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=cwd, env=env)
        self.pid = self.process.pid

    def wait_for(self, port, seconds=20):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise Unavailable(f"{self.name} ended with {self.process.returncode}:\n{self.tail()}")
            if accepts(port):
                return self
            time.sleep(0.05)
        raise Unavailable(f"{self.name} does not listen on {port} after {seconds} s:\n{self.tail()}")

    def tail(self, lines=15):
        with open(self.log, errors="replace") as text:
            return "".join(text.readlines()[-lines:])

    def cpu(self):
        """User and system seconds so far."""
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident(self):
        """Bytes of the resident set now."""
        with open(f"/proc/{self.pid}/statm") as statm:
            return int(statm.read().split()[1]) * PAGE

    def forget_peak(self):
        try:
            with open(f"/proc/{self.pid}/clear_refs", "w") as refs:
                refs.write("5")
        except OSError:
            pass

    def peak(self):
        """The highest resident set since `forget_peak`, in bytes."""
        with open(f"/proc/{self.pid}/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
        return self.resident()

    def threads(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def alive(self):
        return self.process.poll() is None

    def stop(self, seconds=30):
        if self.alive():
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                warn(f"{self.name} does not end after SIGTERM: killed")
                self.process.kill()
                self.process.wait(5)


def run(command, seconds, core=None, env=None):
    """Runs a client to its end.

    Returns its output and the wall-clock seconds it took. Throws Unavailable where it fails or takes longer.
    """
    begun = time.monotonic()
    try:
        done = subprocess.run(
            pinned(core, command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", timeout=seconds, env=env)
    except subprocess.TimeoutExpired as late:
        raise Unavailable(f"{command[0]} takes longer than {seconds} s: {str(late.stdout or '')[-500:]}") from None
    took = time.monotonic() - begun
    if done.returncode != 0:
        raise Unavailable(f"{os.path.basename(command[0])} ... ended with {done.returncode}:\n{done.stdout[-1500:]}")
    return done.stdout, took

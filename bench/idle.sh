#!/usr/bin/env bash
# Idle memory and start-to-ready time of `respan serve`, on data of its own.
# usage: bench/idle.sh [BINARY] [STARTS]      prints "ready MS" per start (exec to first answer of /healthz), then RSS
set -eu
binary=$(realpath "${1:-build/respan}")
starts=${2:-5}
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
export HOME=$home XDG_CONFIG_HOME=$home/config XDG_DATA_HOME=$home/data XDG_STATE_HOME=$home/state
python3 - "$binary" "$starts" <<'PY'
import re, socket, subprocess, sys, time
binary, starts = sys.argv[1], int(sys.argv[2])
with socket.create_server(("127.0.0.1", 0)) as s:
    port = s.getsockname()[1]
request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
for i in range(starts):
    began = time.perf_counter()
    server = subprocess.Popen([binary, "serve", "--listen", f"127.0.0.1:{port}"], stdout=subprocess.PIPE)
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port)) as c:
                c.sendall(request)
                if b" 200 " in c.recv(1000):
                    break
        except ConnectionRefusedError:
            if server.poll() is not None:
                sys.exit(f"{binary} serve ended with status {server.returncode}")
            time.sleep(0.0002)
    ready = (time.perf_counter() - began) * 1000
    printed = server.stdout.readline() and (time.perf_counter() - began) * 1000
    print(f"start {i + 1}: ready {ready:.1f} ms, address printed {printed:.1f} ms" + (" (first start: makes project, key, credentials)" if i == 0 else ""))
    if i < starts - 1:
        server.terminate()
        server.wait()
time.sleep(3)  # past the trim that follows the first idle seconds
status = open(f"/proc/{server.pid}/status").read()
size_kb = dict(re.findall(r"(\w+):\s+(\d+) kB", status))
print(", ".join(f"{name} {int(size_kb[name]) / 1024:.1f} MB" for name in ("VmRSS", "RssAnon", "RssFile")))
server.terminate()
server.wait()
PY

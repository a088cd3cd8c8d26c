import subprocess
import sys

PROGRAM = """
import io
from pathlib import Path
from services.contract.changes import Change
from services.ingress.formats.aaf import NamedStream, read_set

sample = Path("tests/data/aaf/P_Complet_20260915_Eleve_0000.xml").read_bytes()
start = sample.index(b"<addRequest>")
end = sample.index(b"</ficAlimMENESR>")
record = sample[start:end]

class Endless(io.RawIOBase):
    def __init__(self, records):
        self.left = records
        self.pending = sample[:start]
    def readable(self):
        return True
    def read(self, size=-1):
        while len(self.pending) < size and self.left:
            self.left -= 1
            self.pending += record if self.left else sample[end:]
        chunk, self.pending = self.pending[:size], self.pending[size:]
        return chunk

def peak():
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) // 1024

def read(records):
    file = NamedStream("P_Complet_20260915_Eleve_0000.xml", lambda: Endless(records))
    return sum(isinstance(one, Change) for one in read_set([file], None, {}))

read(500)
before = peak()
print(read(25_000), peak() - before, peak())
"""


def test_fifty_megabytes_are_read_in_the_memory_of_one() -> None:
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    records, grown, peak = map(int, run.stdout.split())

    assert records == 24_999
    assert grown < 8, "MiB"
    assert peak < 150, "MiB"

"""Runs a command on a terminal of its own and types what it asks for.

    python3 terminal.py ANSWERS COMMAND ...

ANSWERS is a JSON array of [words that are waited for, what is typed then]. All that the terminal shows goes to standard output;
the exit code is the command's, or 124 where it asks what nobody expects.
"""

import json
import os
import pty
import re
import select
import sys
import time

SECONDS = 120

answers = json.loads(sys.argv[1])
child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[2], sys.argv[2:])

shown = ""
seen = 0
deadline = time.time() + SECONDS
while time.time() < deadline:
    ready, _, _ = select.select([terminal], [], [], 0.1)
    if ready:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:
            chunk = b""
        if not chunk:
            break
        shown += chunk.decode("utf8", "replace")
    if answers:
        found = re.search(answers[0][0], shown[seen:])
        if found:
            seen += found.end()
            os.write(terminal, answers.pop(0)[1].encode())
else:
    os.kill(child, 9)
    print(f"{shown}\n[waited for {answers[:1]}]", end="")
    sys.exit(124)

print(shown, end="")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

"""What comes in its own time is waited for, not slept for."""

import time

LONG_S = 30  # sanitizers are slow


def wait_until(holds, of_s=LONG_S):
    """What `holds` gives as soon as that is true of it; fails after `of_s` seconds."""
    deadline = time.monotonic() + of_s
    while not (value := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return value

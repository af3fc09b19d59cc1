"""A gate holds calls open, so that a test can kill their sender and then let them go."""

import threading


class Gate:
    """Hold every call from `from_call` on, either before or after the message is accepted."""

    def __init__(self, *, is_after: bool, from_call: int = 1) -> None:
        self.is_after = is_after
        self.from_call = from_call
        self._arrived = 0
        self._changed = threading.Condition()
        self._open = threading.Event()

    @classmethod
    def before_accepting(cls, *, from_call: int = 1) -> "Gate":
        return cls(is_after=False, from_call=from_call)

    @classmethod
    def after_accepting(cls, *, from_call: int = 1) -> "Gate":
        return cls(is_after=True, from_call=from_call)

    def wait_for_arrival(self, calls: int = 1, *, timeout: float = 10) -> None:
        """Return when so many calls stand at the gate; raise TimeoutError when they do not come."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._arrived >= calls, timeout):
                raise TimeoutError(f"{self._arrived} of {calls} calls arrived within {timeout} s")

    def let_go(self) -> None:
        """Open the gate for good."""
        self._open.set()

    def hold(self, call_number: int) -> None:
        """Keep this call here until the gate opens."""
        if call_number < self.from_call:
            return
        with self._changed:
            self._arrived += 1
            self._changed.notify_all()
        self._open.wait()

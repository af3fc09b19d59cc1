"""How many rows and rounds make a figure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Counts:
    """`rounds` is how often each thing is measured: a figure is the median."""

    rounds: int
    slow: int  # rows of a drain whose provider takes 80 ms
    fast: int  # rows of a drain at full speed
    beside: int  # rows of a drain beside many others
    finished: int
    future: int
    enqueued: int
    picked_up: int  # messages a round
    emails: int
    seconds_of_calls: float  # for which calls are counted after an outage
    weighed_first: int  # the worker's memory is taken at this row and at the next
    weighed_last: int
    starts: int
    billed: tuple[int, int, int]  # bookings
    messages: int  # in the queue; everything else of the console is in proportion

    @property
    def sentence(self) -> str:
        return (
            f"Medians of {self.rounds}; {self.fast:,} rows where it drains at full speed, "
            f"{self.slow:,} where a call takes 80 ms, {self.beside:,} beside many others"
        )


FULL = Counts(
    rounds=3,
    slow=4_000,
    fast=200_000,
    beside=20_000,
    finished=1_000_000,
    future=200_000,
    enqueued=20_000,
    picked_up=20,
    emails=10_000,
    seconds_of_calls=60,
    weighed_first=10_000,
    weighed_last=100_000,
    starts=7,
    billed=(1_000, 10_000, 100_000),
    messages=1_000_000,
)
QUICK = Counts(
    rounds=1,
    slow=1_000,
    fast=10_000,
    beside=5_000,
    finished=100_000,
    future=20_000,
    enqueued=5_000,
    picked_up=10,
    emails=1_000,
    seconds_of_calls=10,
    weighed_first=1_000,
    weighed_last=10_000,
    starts=2,
    billed=(100, 1_000, 10_000),
    messages=100_000,
)

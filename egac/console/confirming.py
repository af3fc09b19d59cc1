"""What a page that asks before an action wants of a person: a number, a reason, a page of rows."""

MOST_SHOWN = 25  # rows on one page; of more the number is typed
REASON = " Reason: "  # begins it in the history
NO_REASON = "Write a reason."
LONGEST_REASON = 200  # characters


def with_reason(what: str, reason: str) -> str:
    """Return what the history says of an action: what was done, and why where that was told."""
    return f"{what}{REASON}{reason}" if reason else what


def wrong_reason(reason: str, *, is_needed: bool) -> str:
    """Return why an action is not done for this reason, or ""."""
    if not reason:
        return NO_REASON if is_needed else ""
    if len(reason) > LONGEST_REASON:
        return (
            f"Your reason has {len(reason):,} characters and at most {LONGEST_REASON} are kept. "
            "Nothing was changed: write it shorter, then press once more."
        )
    return ""


def wrong_number(typed: str, count: int) -> str:
    """Return why a typed number does not confirm an action on so many, or ""."""
    if typed.replace(",", "") == str(count):
        return ""
    if not typed:
        return f"Type {count} to say that you mean all of them. Nothing was changed."
    return (
        f"You typed {typed}, but it is {count}. Nothing was changed: type {count}, or go back and "
        "choose fewer."
    )


def start_in(text: str, count: int) -> int:
    """Return the place of the first row to show, the beginning of a page of MOST_SHOWN."""
    start = int(text) if text.isdecimal() and len(text) <= 6 else 0
    return start // MOST_SHOWN * MOST_SHOWN if start < count else 0

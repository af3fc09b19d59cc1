"""The rule that egac/causes.py had when the first indexes of causes were built.

It stays as it is: a changed rule gets a copy of its own, and a migration that builds them anew.
"""

WORDS = r"""coalesce(
  substring(ERROR from
    '^[[:space:]]*[{].*"(?:message|error)"[[:space:]]*:[[:space:]]*"((?:[^"\\]|\\.)*)"'),
  ERROR, '')"""
CAUSE = r"""md5(coalesce(CHANNEL, '') || chr(10) ||
  coalesce(substring(ERROR from
    '^[[:space:]]*[{].*"(?:code|name)"[[:space:]]*:[[:space:]]*"?([[:alnum:]_]+)'), '') ||
  chr(10) ||
  coalesce(coalesce(
    substring(lower(WORDS) from '\ycode[ :=#]{1,3}([0-9]{1,6})\y'),
    substring(lower(WORDS) from
      '\y(?:answered|status|http|send it)[ :=/]{1,3}([0-9]{3,6})\y')), '') || chr(10) ||
  coalesce(trim(left(trim(
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
    regexp_replace(lower(WORDS),
      'https?://[^[:space:]]+', '…', 'g'),
      '[^][:space:]<>(),;:"''`[]+@[^][:space:]<>(),;:"''`[]+', '…', 'g'),
      '"[^"]*"|`[^`]*`|“[^”]*”|‘[^’]*’', '…', 'g'),
      '(^|[^[:alnum:]])''[^'']*''(?![[:alnum:]])', '\1…', 'g'),
      '[[:alnum:]_-]*[0-9][[:alnum:]_-]*|\y[0-9a-f]{8,}\y', '…', 'g'),
      '[+(]*…(?:[[:space:].,:/()+-]*…)*', '…', 'g'),
      '[[:space:]]+', ' ', 'g')), 200)), ''))"""


def cause(error: str, channel: str = "NULL") -> str:
    """Return the rule as SQL for an error and a channel that are SQL themselves."""
    return CAUSE.replace("WORDS", WORDS).replace("ERROR", error).replace("CHANNEL", channel)

"""Figures that the database itself keeps: triggers count what others write, and with it.

Whoever ends a row, by whatever program, counts it in the same statement, so the figures are exact
at every instant and a page reads a few rows instead of a million. Statements write into one of a
few slots, each held by one transaction at a time, so that senders do not wait for each other.
"""

from typing import Any

from django.db.migrations.operations.base import Operation

from egac.adoption import brief_locks, query

SLOTS = 16
FILLED = -1  # the slot of what was there before the triggers
LOCKS = 0x45474143  # ours among the advisory locks of the database

MAKE_SLOTS = f"""
CREATE OR REPLACE FUNCTION slot_of_figures() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  slot integer;
BEGIN
  FOR step IN 0..{SLOTS - 1} LOOP
    slot := (pg_backend_pid() + step) % {SLOTS};
    EXIT WHEN pg_try_advisory_xact_lock({LOCKS}, slot);
  END LOOP;
  RETURN slot;  -- were all of them held, this one is waited for
END $$
"""
DROP_SLOTS = "DROP FUNCTION IF EXISTS slot_of_figures()"

MAKE_HOURS = """
CREATE OR REPLACE FUNCTION count_attempts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO hourly_figures AS kept (hour, channel, outcome, slot, count)
  SELECT hour, channel, outcome, slot_of_figures(), count FROM (
    SELECT date_trunc('hour', at, 'UTC') AS hour, channel, outcome, count(*) AS count
    FROM new_lines GROUP BY 1, 2, 3 ORDER BY 1, 2, 3) AS counted
  ON CONFLICT (hour, channel, outcome, slot) DO UPDATE SET count = kept.count + excluded.count;
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER attempts_are_counted AFTER INSERT ON message_audit
  REFERENCING NEW TABLE AS new_lines FOR EACH STATEMENT EXECUTE FUNCTION count_attempts();
"""
DROP_HOURS = """
DROP TRIGGER IF EXISTS attempts_are_counted ON message_audit;
DROP FUNCTION IF EXISTS count_attempts();
"""
# In the transaction that makes the trigger, so no line is missed and none counted twice.
FILL_HOURS = f"""
INSERT INTO hourly_figures (hour, channel, outcome, slot, count)
SELECT date_trunc('hour', at, 'UTC'), channel, outcome, {FILLED}, count(*)
FROM message_audit GROUP BY 1, 2, 3
"""

# Run by whoever writes the table, and perhaps with no right to ours: so it has its owner's.
MAKE_COUNTER = """
CREATE OR REPLACE FUNCTION count_{table}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
BEGIN
  {branches}
  ELSE DELETE FROM finished_rows WHERE source = '{table}';
  END IF;
  RETURN NULL;
END $$
"""
BRANCH = """IF TG_OP = '{event}' THEN
    INSERT INTO finished_rows AS kept (source, channel, status, slot, count)
    SELECT '{table}', channel, status, slot_of_figures(), change FROM (
      SELECT channel, status, sum(change) AS change FROM ({changes}) AS one_by_one
      GROUP BY channel, status HAVING sum(change) <> 0 ORDER BY channel, status) AS changes
    ON CONFLICT (source, channel, status, slot) DO UPDATE SET count = kept.count + excluded.count;
  """
REFERENCES = {
    "INSERT": "REFERENCING NEW TABLE AS new_rows",
    "UPDATE": "REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows",
    "DELETE": "REFERENCING OLD TABLE AS old_rows",
    "TRUNCATE": "",
}
MAKE_TRIGGER = """
CREATE OR REPLACE TRIGGER {table}_are_counted_on_{lower} AFTER {event} ON {table}
  {references} FOR EACH STATEMENT EXECUTE FUNCTION count_{table}()
"""
# One statement sees one moment: what is there then, less what the triggers have counted by then.
FILL = """
INSERT INTO finished_rows AS kept (source, channel, status, slot, count)
SELECT '{table}', channel, status, {filled}, sum(count) FROM (
  SELECT {channel} AS channel, status, count(*) AS count FROM {table}
  WHERE status IN ({finished}) GROUP BY 1, 2
  UNION ALL
  SELECT channel, status, -count FROM finished_rows WHERE source = '{table}' AND slot <> {filled}
) AS counted GROUP BY channel, status
ON CONFLICT (source, channel, status, slot) DO UPDATE SET count = excluded.count
"""


class CountFinishedRows(Operation):
    """Keep how many rows of a table have ended, and how.

    `channel` is the SQL that says which way a row goes. Both ways may run again. It is recorded in
    the transaction that makes the triggers, for no older way back would find them; so writers wait
    while the rows are counted, about a second a million.
    """

    reduces_to_sql = False
    reversible = True

    def __init__(self, table: str, *, channel: str, finished: tuple[str, ...]) -> None:
        self.table = table
        self.channel = channel
        self.finished = finished

    def describe(self) -> str:
        return f"Count the finished rows of {self.table}"

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Leave the state as it is: triggers are no part of it."""

    def database_forwards(self, app_label: str, schema_editor: Any, _: Any, __: Any) -> None:
        connection = schema_editor.connection
        with brief_locks(connection):
            schema = query(connection, "SELECT quote_ident(current_schema())")[0][0]
            query(connection, self._filled_in(MAKE_COUNTER, schema=schema, branches=self._body()))
            for event, references in REFERENCES.items():
                told = {"event": event, "lower": event.lower(), "references": references}
                query(connection, self._filled_in(MAKE_TRIGGER, **told))
        query(connection, self._filled_in(FILL, filled=FILLED))

    def database_backwards(self, app_label: str, schema_editor: Any, _: Any, __: Any) -> None:
        connection = schema_editor.connection
        with brief_locks(connection):
            for event in REFERENCES:
                name = f"{self.table}_are_counted_on_{event.lower()}"
                query(connection, f"DROP TRIGGER IF EXISTS {name} ON {self.table}")
            query(connection, f"DROP FUNCTION IF EXISTS count_{self.table}()")
            query(connection, f"DELETE FROM finished_rows WHERE source = '{self.table}'")

    def _body(self) -> str:
        added, taken = self._changes("new_rows", 1), self._changes("old_rows", -1)
        changes = {"INSERT": added, "UPDATE": f"{added} UNION ALL {taken}", "DELETE": taken}
        return "ELS".join(
            self._filled_in(BRANCH, event=event, changes=each) for event, each in changes.items()
        )

    def _changes(self, rows: str, change: int) -> str:
        return self._filled_in(
            "SELECT {channel} AS channel, status, {change} AS change FROM {rows} "
            "WHERE status IN ({finished})",
            rows=rows,
            change=change,
        )

    def _filled_in(self, template: str, **told: Any) -> str:
        finished = ", ".join(f"'{word}'" for word in self.finished)
        return template.format(table=self.table, channel=self.channel, finished=finished, **told)

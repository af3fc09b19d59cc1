"""Columns of ours on tables into which other programs write: one that is theirs stays theirs."""

from egac.indexing import LOCK_TIMEOUT, MARK

ADD = """
SET LOCAL lock_timeout = '{lock}';
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('{table}')
      AND attname = '{column}' AND NOT attisdropped) THEN
    ALTER TABLE {table} ADD COLUMN {column} {type};
    COMMENT ON COLUMN {table}.{column} IS '{mark}';
  END IF;
END $$"""
DROP = """
SET LOCAL lock_timeout = '{lock}';
DO $$ BEGIN
  IF EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('{table}')
      AND attname = '{column}' AND col_description(attrelid, attnum) = '{mark}') THEN
    ALTER TABLE {table} DROP COLUMN {column};
  END IF;
END $$"""


def added(table: str, column: str, type: str) -> str:
    """Return SQL that adds a column of ours, unless one of that name is there."""
    return ADD.format(table=table, column=column, type=type, lock=LOCK_TIMEOUT, mark=MARK)


def dropped(table: str, column: str) -> str:
    """Return SQL that drops a column, if it is ours."""
    return DROP.format(table=table, column=column, lock=LOCK_TIMEOUT, mark=MARK)

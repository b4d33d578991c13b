-- What is kept for people. Times are milliseconds since 1970.

CREATE TABLE IF NOT EXISTS incidents (
  id TEXT PRIMARY KEY,
  opened_at INTEGER NOT NULL,
  closed_at INTEGER,
  severity TEXT NOT NULL,
  -- The highest it came to.
  posture TEXT NOT NULL,
  json TEXT NOT NULL
);
-- The latest first.
CREATE INDEX IF NOT EXISTS incidents_by_opened_at ON incidents (opened_at);
-- What is open now.
CREATE INDEX IF NOT EXISTS incidents_open ON incidents (opened_at) WHERE closed_at IS NULL;

CREATE TABLE IF NOT EXISTS operator_actions (
  id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  who TEXT NOT NULL,
  what TEXT NOT NULL,
  why TEXT NOT NULL,
  details TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS operator_actions_by_at ON operator_actions (at);
-- What did this person do.
CREATE INDEX IF NOT EXISTS operator_actions_by_who ON operator_actions (who, at);

CREATE TABLE IF NOT EXISTS dead_letters (
  id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  queue TEXT NOT NULL,
  cause TEXT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS dead_letters_by_at ON dead_letters (at);

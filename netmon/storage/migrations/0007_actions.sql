-- What people decide about alarms; nothing is deleted, an end has its time and author.
CREATE TABLE maintenance (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  scope TEXT NOT NULL,
  value TEXT NOT NULL,
  body BLOB NOT NULL,
  reason TEXT NOT NULL,
  author TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  cancelled_ms INTEGER,
  cancelled_by TEXT NOT NULL DEFAULT ''
);

CREATE TABLE silences (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  matchers BLOB NOT NULL,
  starts_ms INTEGER NOT NULL,
  ends_ms INTEGER NOT NULL,
  reason TEXT NOT NULL,
  author TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  cancelled_ms INTEGER,
  cancelled_by TEXT NOT NULL DEFAULT ''
);

CREATE TABLE acknowledgements (
  incident_id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  author TEXT NOT NULL,
  note TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE false_marks (
  incident_id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  author TEXT NOT NULL,
  note TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms INTEGER NOT NULL,
  author TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL
);
CREATE INDEX audit_by_subject ON audit (subject, id);

CREATE TABLE operators (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  token_hash BLOB NOT NULL UNIQUE,
  created_ms INTEGER NOT NULL,
  revoked_ms INTEGER
);

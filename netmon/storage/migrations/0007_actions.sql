-- What people decide about alarms; what has an end is ended, not deleted.
CREATE TABLE maintenance (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ends_ms INTEGER NOT NULL,
  cancelled_ms INTEGER,
  body BLOB NOT NULL
);

CREATE TABLE silences (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ends_ms INTEGER NOT NULL,
  cancelled_ms INTEGER,
  body BLOB NOT NULL
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

-- Written with the action it tells of, in one transaction; never changed.
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms INTEGER NOT NULL,
  author TEXT NOT NULL,
  via TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL
);
CREATE INDEX audit_by_subject ON audit (subject, id);

CREATE TABLE operators (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  token_sha256 TEXT UNIQUE,
  created_ms INTEGER NOT NULL
);

-- People who may log in to the status site, and their sessions.
CREATE TABLE accounts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE COLLATE NOCASE,
  role TEXT NOT NULL,
  campus_district TEXT,
  password_hash TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  disabled_ms INTEGER
);

CREATE TABLE sessions (
  token_sha256 TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  campus_district TEXT,
  account_id INTEGER REFERENCES accounts (id),
  csrf TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  used_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_by_age ON sessions (used_ms);
CREATE INDEX sessions_by_account ON sessions (account_id);

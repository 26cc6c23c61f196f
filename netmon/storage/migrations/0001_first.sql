-- Times are UTC milliseconds. Portable SQL apart from AUTOINCREMENT and WITHOUT ROWID.

CREATE TABLE sources (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  building_id TEXT,
  token_sha256 TEXT UNIQUE,
  generated INTEGER NOT NULL DEFAULT 0,
  last_seen_ms INTEGER,
  clock_offset_ms INTEGER,
  agent TEXT NOT NULL DEFAULT ''
);

-- Ids already taken, as closed intervals of seq: exact, however the sender batches.
CREATE TABLE received (
  source_id INTEGER NOT NULL,
  spool TEXT NOT NULL,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  PRIMARY KEY (source_id, spool, first_seq)
) WITHOUT ROWID;

CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  source_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  building_id TEXT NOT NULL,
  tags TEXT NOT NULL,
  info TEXT NOT NULL DEFAULT '{}',
  UNIQUE (source_id, kind, tags)
);
CREATE INDEX series_by_building ON series (building_id, kind);

-- One row per series and batch; the id orders arrivals and is what readers' cursors
-- point at, so this table is the outbox as well.
CREATE TABLE measurements (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  series_id INTEGER NOT NULL,
  spool TEXT NOT NULL,
  received_ms INTEGER NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  n INTEGER NOT NULL,
  points BLOB NOT NULL
);
CREATE INDEX measurements_by_series ON measurements (series_id, last_ms);

CREATE TABLE latest (
  series_id INTEGER PRIMARY KEY,
  ts_ms INTEGER NOT NULL,
  received_ms INTEGER NOT NULL,
  failure TEXT,
  ok_ts_ms INTEGER,
  ok_values TEXT NOT NULL DEFAULT '{}'
);

CREATE TABLE rollups_hour (
  series_id INTEGER NOT NULL,
  metric TEXT NOT NULL,
  bucket INTEGER NOT NULL,
  n INTEGER NOT NULL,
  total REAL NOT NULL,
  low REAL NOT NULL,
  high REAL NOT NULL,
  PRIMARY KEY (series_id, metric, bucket)
) WITHOUT ROWID;

CREATE TABLE rollups_day (
  series_id INTEGER NOT NULL,
  metric TEXT NOT NULL,
  bucket INTEGER NOT NULL,
  n INTEGER NOT NULL,
  total REAL NOT NULL,
  low REAL NOT NULL,
  high REAL NOT NULL,
  PRIMARY KEY (series_id, metric, bucket)
) WITHOUT ROWID;

CREATE TABLE access_points (
  building_id TEXT NOT NULL,
  ap TEXT NOT NULL,
  device TEXT NOT NULL,
  name TEXT NOT NULL,
  model TEXT NOT NULL,
  serial TEXT NOT NULL,
  firmware TEXT NOT NULL,
  up INTEGER,
  clients_count INTEGER,
  first_seen_ms INTEGER NOT NULL,
  last_seen_ms INTEGER NOT NULL,
  generated INTEGER NOT NULL,
  PRIMARY KEY (building_id, ap)
) WITHOUT ROWID;

CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  source_id INTEGER NOT NULL,
  spool TEXT NOT NULL,
  seq INTEGER NOT NULL,
  received_ms INTEGER NOT NULL,
  reason TEXT NOT NULL,
  record BLOB NOT NULL
);

CREATE TABLE cursors (
  reader TEXT PRIMARY KEY,
  position INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  memory TEXT NOT NULL DEFAULT ''
);

CREATE TABLE deliveries (
  reader TEXT NOT NULL,
  position INTEGER NOT NULL,
  delivered_ms INTEGER NOT NULL,
  PRIMARY KEY (reader, delivered_ms, position)
) WITHOUT ROWID;

CREATE TABLE states (
  rule TEXT NOT NULL,
  target TEXT NOT NULL,
  building_id TEXT NOT NULL,
  state TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  incident_id INTEGER,
  memory BLOB NOT NULL,
  PRIMARY KEY (rule, target)
) WITHOUT ROWID;
CREATE INDEX states_by_building ON states (building_id);

CREATE TABLE incidents (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  rule TEXT NOT NULL,
  target TEXT NOT NULL,
  building_id TEXT NOT NULL,
  started_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  evidence BLOB NOT NULL
);
CREATE INDEX incidents_open ON incidents (ended_ms, rule, target);

CREATE TABLE transitions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  rule TEXT NOT NULL,
  target TEXT NOT NULL,
  building_id TEXT NOT NULL,
  from_state TEXT NOT NULL,
  to_state TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  incident_id INTEGER,
  evidence BLOB NOT NULL
);
CREATE INDEX transitions_by_target ON transitions (target, id);

CREATE TABLE mails (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  incident_id INTEGER NOT NULL,
  event TEXT NOT NULL,
  recipient TEXT NOT NULL,
  message_id TEXT NOT NULL,
  in_reply_to TEXT NOT NULL,
  subject TEXT NOT NULL,
  text TEXT NOT NULL,
  html TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_try_ms INTEGER NOT NULL,
  sent_ms INTEGER,
  last_error TEXT NOT NULL DEFAULT '',
  UNIQUE (incident_id, event, recipient)
);
CREATE INDEX mails_due ON mails (sent_ms, next_try_ms);

CREATE TABLE inventories (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  imported_ms INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  body BLOB NOT NULL
);

CREATE TABLE snapshots (
  year INTEGER PRIMARY KEY,
  frozen_ms INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  body BLOB NOT NULL
);

CREATE TABLE heartbeats (
  process TEXT PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  figures TEXT NOT NULL,
  note TEXT NOT NULL
);

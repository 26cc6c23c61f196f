-- Mails are grouped: a thread tells of one or more incidents, from the alarm to the end.
CREATE TABLE threads (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  level TEXT NOT NULL,
  key TEXT NOT NULL,
  opened_ms INTEGER NOT NULL,
  closed_ms INTEGER,
  memory TEXT NOT NULL DEFAULT ''
);
CREATE INDEX threads_open ON threads (closed_ms);

CREATE TABLE thread_members (
  incident_id INTEGER PRIMARY KEY,
  thread_id INTEGER NOT NULL REFERENCES threads (id),
  added_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX thread_members_by_thread ON thread_members (thread_id);

-- An event can be told more than once (reminders, followers): `number` counts them.
CREATE TABLE mails_new (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  incident_id INTEGER NOT NULL,
  event TEXT NOT NULL,
  number INTEGER NOT NULL DEFAULT 0,
  recipient TEXT NOT NULL,
  thread_id INTEGER,
  message_id TEXT NOT NULL,
  in_reply_to TEXT NOT NULL,
  subject TEXT NOT NULL,
  text TEXT NOT NULL,
  html TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_try_ms INTEGER NOT NULL,
  claimed_ms INTEGER,
  sent_ms INTEGER,
  last_error TEXT NOT NULL DEFAULT '',
  UNIQUE (incident_id, event, number, recipient)
);
INSERT INTO mails_new (id, incident_id, event, recipient, message_id, in_reply_to,
  subject, text, html, created_ms, attempts, next_try_ms, sent_ms, last_error)
SELECT id, incident_id, event, recipient, message_id, in_reply_to,
  subject, text, html, created_ms, attempts, next_try_ms, sent_ms, last_error FROM mails;
DROP TABLE mails;
ALTER TABLE mails_new RENAME TO mails;
CREATE INDEX mails_due ON mails (sent_ms, next_try_ms);
CREATE INDEX mails_by_thread ON mails (thread_id);
-- How many went out lately.
CREATE INDEX mails_by_time ON mails (created_ms);

CREATE INDEX incidents_by_building ON incidents (building_id, id);

-- What other systems were told of incidents: one row a sink, incident and event.
CREATE TABLE sink_events (
  sink TEXT NOT NULL,
  incident_id INTEGER NOT NULL,
  event TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_try_ms INTEGER NOT NULL,
  sent_ms INTEGER,
  reference TEXT NOT NULL DEFAULT '',
  last_error TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (sink, incident_id, event)
) WITHOUT ROWID;
CREATE INDEX sink_events_due ON sink_events (sink, sent_ms, next_try_ms);

-- Evidence campaigns and their hash chains. A link is never changed or removed.

CREATE TABLE campaigns (
  id TEXT PRIMARY KEY,
  line_id TEXT NOT NULL,
  state TEXT NOT NULL,
  started_ms INTEGER NOT NULL,
  body BLOB NOT NULL
);
CREATE INDEX campaigns_by_line ON campaigns (line_id, started_ms);
CREATE UNIQUE INDEX campaigns_one_running ON campaigns (line_id) WHERE state = 'running';

CREATE TABLE campaign_entries (
  campaign_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  record TEXT NOT NULL,
  previous TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (campaign_id, number)
) WITHOUT ROWID;

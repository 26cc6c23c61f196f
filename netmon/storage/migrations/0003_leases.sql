-- Slots of the measurement servers: leases that run, and requests that wait their turn.

CREATE TABLE leases (
  id TEXT PRIMARY KEY,
  building_id TEXT NOT NULL,
  granted_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  body BLOB NOT NULL
);

CREATE TABLE lease_requests (
  probe TEXT NOT NULL,
  line_id TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  due_ms INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (probe, line_id)
);

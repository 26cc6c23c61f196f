-- What switches have seen at their ports: where access points are plugged in.
CREATE TABLE neighbours (
  building_id TEXT NOT NULL,
  device TEXT NOT NULL,
  port TEXT NOT NULL,
  name TEXT NOT NULL,
  chassis TEXT NOT NULL,
  first_seen_ms INTEGER NOT NULL,
  last_seen_ms INTEGER NOT NULL,
  PRIMARY KEY (building_id, device, port, name, chassis)
) WITHOUT ROWID;

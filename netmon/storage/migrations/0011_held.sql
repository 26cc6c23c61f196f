-- What keeps a target from raising its alarm, for whoever shows it: a rule and a target.
ALTER TABLE states ADD COLUMN held_by TEXT NOT NULL DEFAULT '';

-- Whether a target comes and goes so often that its incident is kept open.
ALTER TABLE states ADD COLUMN flapping INTEGER NOT NULL DEFAULT 0;

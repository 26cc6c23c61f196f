-- What keeps a target from raising its alarm, for whoever shows it: a rule and a target.
ALTER TABLE states ADD COLUMN held_by TEXT NOT NULL DEFAULT '';

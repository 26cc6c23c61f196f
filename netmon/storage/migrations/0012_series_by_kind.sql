-- The overview asks for a few kinds of the whole city: hundreds of series of 35,000.
CREATE INDEX series_by_kind ON series (kind);

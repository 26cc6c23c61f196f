-- How far the sender's clock was off when it sent; 0 where it agreed with the gateway's.
ALTER TABLE measurements ADD COLUMN skew_ms INTEGER NOT NULL DEFAULT 0;

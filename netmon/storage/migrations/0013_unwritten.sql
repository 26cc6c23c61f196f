-- Why a mail has only the plain text: the full one could not be written.
ALTER TABLE mails ADD COLUMN unwritten TEXT NOT NULL DEFAULT '';

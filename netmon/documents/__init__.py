"""The forms a report takes: one document of blocks, written as DOCX, PDF or JSON."""

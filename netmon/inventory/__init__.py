"""The list of sites: a folder of CSV or YAML files, checked as a whole.

``columns`` says what each file holds, ``rows`` reads files, ``checks`` judges
what was read, ``folder`` puts them together.
"""

from netmon.inventory.codec import content_hash, decode, encode
from netmon.inventory.folder import load_folder, write_folder

__all__ = ["content_hash", "decode", "encode", "load_folder", "write_folder"]

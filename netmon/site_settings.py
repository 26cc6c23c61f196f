"""How the status site looks where it stands: the map's background."""

from __future__ import annotations

from urllib.parse import urlsplit

from msgspec import Struct


class SiteSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The map's tiles; without an address it is an outline of netmon's own.

    ``map_tiles_url`` is what browsers ask for tiles, with ``{z}``, ``{x}`` and ``{y}``,
    in Web Mercator. ``map_attribution`` is what the tiles' owner wants said.
    """

    map_tiles_url: str = ""
    map_attribution: str = ""

    def __post_init__(self) -> None:
        """Refuse values that make no sense; msgspec names the field's path."""
        if not self.map_tiles_url:
            return
        parts = urlsplit(self.map_tiles_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("map_tiles_url is an address that begins with https://")
        if set("{};, '\"") & set(parts.netloc):
            raise ValueError("map_tiles_url must name one host, without {s}")
        missing = [x for x in ("{z}", "{x}", "{y}") if x not in self.map_tiles_url]
        if missing:
            raise ValueError(f"map_tiles_url lacks {', '.join(missing)}")
        if not self.map_attribution:
            raise ValueError("map_attribution is needed: tiles have an owner")

    @property
    def tiles_origin(self) -> str:
        """Scheme and host of the tiles, for the browser's list; empty without tiles."""
        if not self.map_tiles_url:
            return ""
        parts = urlsplit(self.map_tiles_url)
        return f"{parts.scheme}://{parts.netloc}"

"""How the status site looks where it stands: the map's background."""

from __future__ import annotations

from urllib.parse import urlsplit

from msgspec import Struct

from netmon.errors import WrongValueError


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
            raise WrongValueError("no_web_address", name="map_tiles_url")
        if set("{};, '\"") & set(parts.netloc):
            raise WrongValueError("tiles_host", name="map_tiles_url")
        missing = [x for x in ("{z}", "{x}", "{y}") if x not in self.map_tiles_url]
        if missing:
            raise WrongValueError(
                "tiles_lack", name="map_tiles_url", missing=", ".join(missing)
            )
        if not self.map_attribution:
            raise WrongValueError(
                "needed_with", name="map_attribution", other="map_tiles_url"
            )

    @property
    def tiles_origin(self) -> str:
        """Scheme and host of the tiles, for the browser's list; empty without tiles."""
        if not self.map_tiles_url:
            return ""
        parts = urlsplit(self.map_tiles_url)
        return f"{parts.scheme}://{parts.netloc}"

"""UTM zone 32N to degrees, without a geodesy library.

The closed Krüger series in the third flattening n, to the fourth order, as in
C. F. F. Karney, "Transverse Mercator with an accuracy of a few nanometers",
Journal of Geodesy 85 (2011), equations 5, 11-15 and 36 (inverse coefficients)
and, for the conformal latitude, J. P. Snyder, "Map Projections: A Working
Manual", USGS Professional Paper 1395 (1987), written in n. In a UTM zone the
terms left out are below a tenth of a millimetre.

The ellipsoid is GRS 80 (ETRS89, EPSG:25832). ETRS89 is taken for WGS84: the
plates have moved them apart by less than a metre.
"""

from __future__ import annotations

import math

_AXIS_M = 6_378_137.0
_FLATTENING = 1 / 298.257222101
_SCALE = 0.9996
_FALSE_EASTING_M = 500_000.0
_CENTRAL_MERIDIAN_DEG = 9.0

_N = _FLATTENING / (2 - _FLATTENING)
_RECTIFYING_RADIUS_M = _AXIS_M / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64)
# From the plane to the conformal sphere.
_BETA = (
    _N / 2 - 2 * _N**2 / 3 + 37 * _N**3 / 96 - _N**4 / 360,
    _N**2 / 48 + _N**3 / 15 - 437 * _N**4 / 1440,
    17 * _N**3 / 480 - 37 * _N**4 / 840,
    4397 * _N**4 / 161280,
)
# From conformal to geographic latitude.
_DELTA = (
    2 * _N - 2 * _N**2 / 3 - 2 * _N**3 + 116 * _N**4 / 45,
    7 * _N**2 / 3 - 8 * _N**3 / 5 - 227 * _N**4 / 45,
    56 * _N**3 / 15 - 136 * _N**4 / 35,
    4279 * _N**4 / 630,
)


def utm32_to_degrees(east_m: float, north_m: float) -> tuple[float, float]:
    """Return (latitude, longitude) in degrees of metres in EPSG:25832."""
    xi = north_m / (_SCALE * _RECTIFYING_RADIUS_M)
    eta = (east_m - _FALSE_EASTING_M) / (_SCALE * _RECTIFYING_RADIUS_M)
    xi_sphere, eta_sphere = xi, eta
    for order, beta in enumerate(_BETA, start=1):
        turn = 2 * order
        xi_sphere -= beta * math.sin(turn * xi) * math.cosh(turn * eta)
        eta_sphere -= beta * math.cos(turn * xi) * math.sinh(turn * eta)
    conformal = math.asin(math.sin(xi_sphere) / math.cosh(eta_sphere))
    latitude = conformal + sum(
        delta * math.sin(2 * order * conformal)
        for order, delta in enumerate(_DELTA, start=1)
    )
    longitude = math.atan2(math.sinh(eta_sphere), math.cos(xi_sphere))
    return math.degrees(latitude), math.degrees(longitude) + _CENTRAL_MERIDIAN_DEG

"""Points on the Earth, and how far apart they are."""

from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

MEAN_EARTH_RADIUS_KM = 6371.0088
"""The mean radius R1 of the Geodetic Reference System 1980 (Moritz 2000, Journal of Geodesy 74, 128-133)."""


@dataclass(frozen=True)
class Point:
    """A location in decimal degrees of WGS84: north and east are positive."""

    latitude: float
    longitude: float


def distance_km(a: Point, b: Point) -> float:
    """The great-circle distance between two points, in kilometres, by the haversine formula.

    The Earth is taken for a sphere, which is wrong by at most 0.6 %: less than the size of the outward code that
    stands for where a client is. Source: Sinnott (1984), Virtues of the Haversine, Sky and Telescope 68(2), 159.
    """
    latitude_a, latitude_b = radians(a.latitude), radians(b.latitude)
    half_latitude = (latitude_b - latitude_a) / 2
    half_longitude = radians(b.longitude - a.longitude) / 2
    haversine = sin(half_latitude) ** 2 + cos(latitude_a) * cos(latitude_b) * sin(half_longitude) ** 2
    return 2 * MEAN_EARTH_RADIUS_KM * asin(sqrt(haversine))

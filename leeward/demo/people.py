"""Invented people: names, ways to reach them that reach nobody, and passphrases.

Family names are made up of two parts, e-mail goes to example.org (RFC 2606), and telephone numbers come from the
ranges that Ofcom keeps free for drama.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from contracts.typed.telephones import read_telephone
from contracts.vocabulary import Sex

MAIL_DOMAIN = "example.org"


@dataclass(frozen=True)
class NumberRange:
    """A range of numbers that belong to nobody: prefix, first and last digits after it, and its weight in the draw."""

    prefix: str
    first: int
    last: int
    weight: int

    def number(self, digits: int) -> str:
        return f"{self.prefix}{digits:0{len(str(self.last))}}"


MOBILE = NumberRange("07700 ", 900_000, 900_999, 80)
DRAMA_RANGES = (
    MOBILE,
    NumberRange("01632 ", 960_000, 960_999, 10),  # no area
    NumberRange("020 7946 0", 0, 999, 6),  # London
    NumberRange("029 2018 0", 0, 999, 4),  # Cardiff
)
"""Source: Ofcom, Telephone numbers for use in TV and radio drama programmes."""


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


MEN = _listed(
    """
    Adam Alan Andrew Anthony Ben Callum Carl Craig Dafydd Daniel David Declan Derek Ethan Gareth George Graham
    Hamish Harry Hywel Ian Imran Jack James Joe Karl Keith Kevin Lewis Liam Łukasz Mark Martin Neil Nigel Oliver
    Owen Paul Peter Rhys Robert Ryan Sam Scott Sean Simon Stephen Tariq Tom Wayne
    """
)
WOMEN = _listed(
    """
    Aisha Alice Amy Anna Beth Carol Catrin Chloë Claire Dawn Debbie Eleri Ellen Emma Fiona Gemma Grace Helen Jane
    Jenny Joanna Karen Kate Laura Linda Lucy Maria Megan Nicola Priya Rachel Ruth Sally Sarah Siân Susan Tracy Zoë
    """
)
EITHER = _listed(
    """
    Alex Ash Charlie Jamie Jordan Kit Lee Morgan Robin Rowan Sandy Taylor
    """
)
FAMILY_FIRST = _listed(
    """
    Alder Amber Ash Birch Bracken Bram Briar Copper Dun Elder Fern Flint Gorse Hazel Heather Juniper Larch Linden
    Maple Moss Nettle Otter Plover Quill Reed Rush Sable Tansy Thistle Willow Wren Yarrow
    """
)
FAMILY_SECOND = _listed(
    """
    beck bourne brook combe croft dale fold garth hollow hurst march mere moor more ridge shaw stowe wick
    """
)
WORDS = _listed(
    """
    acorn amber anchor apple april apron arrow autumn bacon badge baker balloon bamboo banjo barley basket beacon
    beaver berry bicycle biscuit blanket blossom bonnet bottle bramble breeze brick bridge bronze bubble bucket
    butter button cabbage cabin cactus camel candle canoe canvas captain carbon carpet carrot castle cedar cellar
    cherry chess cider cinema circle clover cobalt coffee comet copper coral cotton cradle crayon cricket crystal
    cushion dahlia daisy dancer denim desert diamond dinner dolphin donkey dragon drum eagle echo elbow elephant
    ember emerald engine fabric falcon feather fiddle finger flannel flute forest fossil fountain fox galaxy
    garden garlic ginger glacier glove goblet granite grape guitar hammer hammock harbour harvest hazel helmet
    heron hickory honey horizon igloo indigo island ivory jacket jasmine jelly jigsaw jungle kettle kitchen kitten
    ladder lagoon lantern lavender lemon lentil lilac linen lizard lobster lotus magnet mango maple marble meadow
    melon mirror mitten moon mosaic muffin mustard napkin nectar needle nickel noodle nutmeg oak ocean olive onion
    orange orchard orchid otter oyster paddle palace panda parcel parsley pebble pencil penguin pepper piano
    pickle picnic pigeon pillow planet plum pocket pony poppy potato pretzel pudding puffin pumpkin puzzle quartz
    quilt rabbit radish rainbow raven ribbon river robin rocket ruby saddle saffron salmon sandal saturn scarf
    shadow silver sparrow spoon spring squirrel sugar summer sunset table teapot temple thimble thunder ticket
    tiger timber toffee tomato tulip tunnel turnip turtle umbrella valley vanilla velvet violet violin walnut
    walrus whistle willow window winter yellow zebra
    """
)


def first_name(rng: Random, sex: Sex | None) -> str:
    return rng.choice({Sex.MALE: MEN, Sex.FEMALE: WOMEN}.get(sex or Sex.OTHER, EITHER))


def full_name(rng: Random, sex: Sex | None) -> str:
    return f"{first_name(rng, sex)} {rng.choice(FAMILY_FIRST)}{rng.choice(FAMILY_SECOND)}"


def email(rng: Random, number: int) -> str:
    """An address that is different for every number and does not hint at the name."""
    return f"{rng.choice(WORDS)}.{number:04}@{MAIL_DOMAIN}"


def telephone(rng: Random, *, for_texts: bool = False) -> str:
    """In E.164, the form in which numbers are stored. `for_texts`: a mobile number."""
    drama = rng.choices(DRAMA_RANGES, weights=[range_.weight for range_ in DRAMA_RANGES])[0]
    if for_texts:
        drama = MOBILE
    return read_telephone(drama.number(rng.randint(drama.first, drama.last))).e164


def street(rng: Random) -> str:
    """The first line of an address; no such street exists."""
    return f"{rng.randint(1, 180)} Example {rng.choice(('Street', 'Road', 'Close', 'Terrace'))}"


def passphrase(rng: Random) -> str:
    """Four common words. Pass a `random.SystemRandom` where it protects anything real."""
    return " ".join(rng.choice(WORDS) for _ in range(4))

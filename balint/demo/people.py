"""Who lives in the demo. All invented; the password of each is in `PASSWORD`."""

from dataclasses import dataclass

PASSWORD = "balint-demo"  # noqa: S105 - it is printed when the demo starts


@dataclass(frozen=True)
class Person:
    """Somebody of the demo; a key is the part before @demo.example."""

    key: str
    name: str
    profession: str = "family physician"
    zone: str = "Asia/Jerusalem"
    phone: str = ""

    @property
    def email(self) -> str:
        return f"{self.key}@demo.example"


LONDON, NEW_YORK, BERLIN = "Europe/London", "America/New_York", "Europe/Berlin"
PSYCHIATRIST, PSYCHOLOGIST, PAEDIATRICIAN = "psychiatrist", "psychologist", "paediatrician"

PEOPLE = (
    Person("leader", "Dr Ruth Marks", PSYCHIATRIST, phone="+972 4 555 0101"),
    Person("leader2", "Dr Erik Krantz"),
    Person("member", "Dr Dana Green", phone="+972 4 555 0102"),
    Person("newcomer", "Dr Nina Bloom"),
    Person("admin", "Noa Levi", ""),
    Person("outsider", "Dr Olga Fern", PAEDIATRICIAN, LONDON),
    Person("samuel", "Dr Samuel Ilan", phone="+972 4 555 0103"),
    Person("amit", "Dr Amit Nader"),
    Person("priya", "Dr Priya Bose", phone="+972 4 555 0104"),
    Person("hanna", "Dr Hanna Lind"),
    Person("owen", "Dr Owen Wells", "palliative care", LONDON),
    Person("joan", "Dr Joan Tal"),
    Person("miriam", "Dr Miriam Cole", PSYCHOLOGIST, LONDON),
    Person("tomas", "Dr Tomas Reed", zone=LONDON),
    Person("ayesha", "Dr Ayesha Khan", zone=LONDON),
    Person("brian", "Dr Brian Moss", PAEDIATRICIAN, LONDON),
    Person("clara", "Dr Clara Voss", zone=BERLIN),
    Person("felix", "Dr Felix Arndt", PSYCHOLOGIST, BERLIN),
    Person("greta", "Dr Greta Holm", zone=BERLIN),
    Person("ines", "Dr Ines Maier", zone=BERLIN),
    Person("jonas", "Dr Jonas Weil", zone=BERLIN),
    Person("karin", "Dr Karin Lutz", PAEDIATRICIAN, BERLIN),
    Person("lewis", "Dr Lewis Grant", PSYCHIATRIST, NEW_YORK),
    Person("maya", "Dr Maya Ortiz", zone=NEW_YORK),
    Person("noah", "Dr Noah Price", zone=NEW_YORK),
    Person("paula", "Dr Paula Stone", zone=NEW_YORK),
    Person("quinn", "Dr Quinn Avery", zone=NEW_YORK),
    Person("rosa", "Dr Rosa Lima", zone=NEW_YORK),
    Person("simon", "Dr Simon Hale", zone=NEW_YORK),
    Person("tara", "Dr Tara Singh", PSYCHIATRIST, NEW_YORK),
)


@dataclass(frozen=True)
class Circle:
    """A group of the demo and who is in it, in the order of its chairs; leaders first."""

    programme: str
    name: str
    alias: str
    setting: str
    zone: str
    place: str
    rule: str
    at: str
    minutes: int
    leaders: tuple[str, ...]
    members: tuple[str, ...]
    breaks: str = ""
    link: str = ""
    door: str = ""
    contact: str = ""
    newcomers: tuple[str, ...] = ()
    evening: str = ""
    keeps_time: bool = False


NORTH, CITY = "North programme", "City residency"
CALL = "https://meet.demo.example/"

CIRCLES = (
    Circle(
        NORTH, "Valley group", "Valley group", "in_person", "Asia/Jerusalem",
        "Kfar Vitkin clinic, library", "month:1:3:3", "19:30", 90,
        ("leader", "leader2"), ("member", "samuel", "amit", "priya", "hanna", "owen", "joan"),
        breaks="20 Dec – 6 Jan winter", door="code 4471#, library, first floor",
        contact="Ruth Marks, +972 4 555 0101", newcomers=("newcomer",),
    ),
    Circle(
        NORTH, "Evening group", "Evening group", "online", "Asia/Jerusalem",
        "", "week:3:1", "20:00", 75,
        ("leader2",), ("leader", "samuel", "priya", "clara", "greta", "owen"),
        link=CALL + "evening",
    ),
    Circle(
        NORTH, "Harbour group", "Harbour group", "online", LONDON,
        "", "month:1:2:1", "18:30", 90,
        ("miriam", "tomas"), ("outsider", "ayesha", "brian", "owen", "clara"),
        link=CALL + "harbour",
    ),
    Circle(
        CITY, "Hospital group", "Hospital group", "in_person", BERLIN,
        "Room 214", "month:1:3:-1", "17:00", 90,
        ("felix",), ("greta", "ines", "jonas", "karin", "clara"),
        breaks="15 Jul – 31 Aug summer", evening="doppelstunde",
    ),
    Circle(
        CITY, "Residents’ group", "", "mixed", NEW_YORK,
        "Education centre, room 3", "month:1:1:4", "19:00", 60,
        ("lewis", "tara"), ("maya", "noah", "paula", "quinn", "rosa", "simon"),
        link=CALL + "residents", keeps_time=True,
    ),
)  # fmt: skip

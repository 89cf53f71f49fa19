"""Words round which identifiers stand, in English and German; small lists, none of them complete.

They are cues: a name that is on no list here is not seen, and the page says so.
"""

import re
from collections.abc import Iterable

CAPITAL = "[A-ZÀ-ÖØ-ÞŠŽČŁ]"
NAME = rf"{CAPITAL}[^\W\d_]+(?:[-’']{CAPITAL}?[^\W\d_]+)?"


def word_of(words: Iterable[str]) -> str:
    """Any one of these, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


MONTHS = _set(
    "january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sep sept oct nov dec januar jänner februar märz mai juni "
    "juli oktober dezember mär okt dez"
)
DAYS = _set(
    "monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch "
    "donnerstag freitag samstag sonntag sonnabend"
)
ORDINALS = _set(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
    "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth "
    "twenty-first twenty-second twenty-third twenty-fourth twenty-fifth twenty-sixth twenty- "
    "seventh twenty-eighth twenty-ninth thirtieth thirty-first ersten zweiten dritten vierten "
    "fünften sechsten siebten achten neunten zehnten elften zwölften zwanzigsten dreißigsten"
)
TOP = _set("com org net edu gov info eu de ch uk il nl fr es gr au nz ca io health")
OLD = (
    r"years?[ -]old\b|year[ -]old\b|yrs?\b|y/?o\b|jahre\b|j\.|jährige?[rnms]?\b|-jährige?[rnms]?\b"
)
NINETY = (
    r"ninety(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?(?:[ -]years?[ -]old)?\b"
    r"|nineties\b|(?:ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun)undneunzig\w*|neunzigjährige?\w*"
    r"|hundertjährige?\w*|centenarian\b"
)
RECORDS = (
    r"mrn|nhs|ssn|id|hospital|patient(?:en)?|record|file|chart|case no|passport|insurance|policy"
    r"|medicare|medicaid|akte(?:nzeichen)?|fall(?:nummer|nr)|patienten?-?(?:nummer|nr|id)"
    r"|versicherten-?(?:nummer|nr)|kvnr|ausweis|teudat zehut|t\.?z\.?"
)
STATES = _set(
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH "
    "NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC"
)
COUNTED = _set(
    "euro dollar pfund mal menschen leute schritte stunden tage jahre steps people times"
)
TITLES = _set(
    "Mr Mrs Ms Miss Mx Dr Prof Herr Herrn Frau Fräulein Sir Madame Monsieur Señor Señora "
    "Rabbi Rabbiner Pfarrer Pastor"
)
TITLES_IN_NAMES = _set("mr mrs ms miss dr prof professor herr frau von van der med phil")
NOT_BEHIND_A_TITLE = _set(
    "doktor doctor professor kollegin kollege ende anfang mitte nobody right wrong death "
    "angst krebs tod gottes ohne nach und mit die der das in am im who what never always"
)
KIN = _set(
    "wife husband son daughter mother father mum mom dad brother sister aunt uncle partner "
    "boyfriend girlfriend grandson granddaughter grandmother grandfather cousin neighbour "
    "neighbor nurse doctor professor mutter vater sohn tochter bruder schwester tante onkel "
    "oma opa freund freundin nachbar nachbarin ehemann ehefrau mann enkel enkelin"
)
STREETS = _set("Street St Road Rd Lane Avenue Ave Drive Close Court Square Boulevard Terrace Way")
STREET_ENDS = r"stra(?:ß|ss)e|str\.|gasse|allee|platz|(?<=[a-zß])weg"
ROOMS = _set("Ward ward Station Room room Zimmer Bed bed Bett Clinic Flat")
HOUSES = frozenset(
    {
        *(
            "Hospital",
            "Clinic",
            "Surgery",
            "Infirmary",
            "Hospice",
            "Ward",
            "Street",
            "Road",
            "Lane",
        ),
        *("School", "College", "University", "Nursing Home", "Medical Centre", "Medical Center"),
        *("Health Centre", "Practice", "Prison", "Klinik", "Klinikum", "Krankenhaus", "Straße"),
    }
)
HOUSES_FIRST = _set(
    "Klinik Klinikum Krankenhaus Universitätsklinik Universitätsklinikum Uniklinik Landkreis "
    "Hospital Praxis Altenheim Pflegeheim Hospice"
)
BEFORE_A_HOUSE = _set("the a an my our his her their this that our die der das eine ein unsere")
GERMAN = _set("der die das und ist nicht ein eine mit von dem den sie er ich nie wieder kein keine")
OUT_OF = _set(
    "angst liebe wut trauer scham neugier versehen not mitleid stahl holz glas gold papier "
    "eis stein fleisch zorn gewohnheit mangel sorge trotz rache erfahrung sicht spaß "
    "langeweile"
)
TOWNS = frozenset(
    {
        *(
            "London",
            "Manchester",
            "Liverpool",
            "Leeds",
            "Glasgow",
            "Edinburgh",
            "Cardiff",
            "Belfast",
        ),
        *("Dublin", "Bristol", "Oxford", "Berlin", "Hamburg", "München", "Munich", "Köln"),
        *("Cologne", "Frankfurt", "Stuttgart", "Leipzig", "Dresden", "Hannover", "Wien", "Vienna"),
        *("Graz", "Salzburg", "Zürich", "Zurich", "Basel", "Genf", "Geneva", "Haifa", "Jerusalem"),
        *("Tel Aviv", "Nazareth", "Beersheba", "Netanya", "Hadera", "Boston", "Chicago", "Seattle"),
        *("New York", "Los Angeles", "San Francisco", "Philadelphia", "Houston", "Denver"),
        *("Paris", "Lyon", "Brussels", "Amsterdam", "Rotterdam", "Athens", "Athen", "Thessaloniki"),
        *("Sydney", "Melbourne", "Auckland", "Wellington", "Toronto", "Kyiv", "Warsaw", "Moscow"),
        *(
            "Syria",
            "Syrien",
            "Ukraine",
            "Eritrea",
            "Somalia",
            "Afghanistan",
            "Iraq",
            "Iran",
            "Irak",
        ),
        *("Turkey", "Türkei", "Poland", "Polen", "Ethiopia", "Äthiopien", "Sudan", "Nigeria"),
    }
)
# Capitalised without being anybody or anywhere.
ORDINARY = (
    MONTHS
    | DAYS
    | _set(
        "christmas easter passover ramadan hanukkah advent weihnachten ostern pfingsten new "
        "year eve english german hebrew arabic russian greek french dutch deutsch englisch "
        "balint i god gott covid hiv gp icu a&e er nhs ct mri ecg ivf adhd who the this that "
        "she he they we you it herr frau dr mr mrs ende anfang mitte heaven hell"
    )
)
SMALL = _set(
    "the a an of and or in on to for with at by from who is it not no der die das und von mit "
    "im am ein eine den dem zu"
)
FIRST_NAMES = _set(
    "aaron abigail adam ahmed aisha alan alexander alfred ali alice amal amit amir amy andrea "
    "andreas andrew angela anita anna anne annika anton ari arthur avi barbara beate ben "
    "benjamin bernd birgit boris brian bruno carl carla carmen caroline catherine charles "
    "charlotte chiara christian christina christine christoph clara claudia colin dana daniel "
    "danny dario david deborah denise dennis diana dieter dina dmitri doris edith edward "
    "eitan elena eli elias elif elisabeth elizabeth ella ellen elsa emil emily emma eric erik "
    "erika ernst esther eva fatima felix ferdinand fiona florian francesca franz fred frieda "
    "friedrich gabriel gabriele george georg gerald gerd giovanni gisela greta günter günther "
    "hana hanna hannah hannelore hans harald harry hassan heidi heike heinrich heinz helen "
    "helena helga helmut henry herbert hilde holger horst hussein ibrahim ida inge ingrid "
    "irene iris irina isaac isabel jack jacob jakob james jane janet jason jennifer jens "
    "jessica joachim johann johannes john jonas jonathan josef joseph joshua judith julia "
    "julian jürgen karen karin karl karsten katharina katherine kathrin katrin kevin khaled "
    "klaus konstantin kurt lara laura lea leah lena leon leonie lina linda lisa liv lothar "
    "louis louise luca lucas lucy ludwig luis lukas maja manfred manuel marcel marco marcus "
    "margaret margarete maria mariam marie marina mario marion markus marta martha martin "
    "martina mary mathilde matthew matthias max mehmet melanie michael michaela michelle "
    "miriam mohamed mohammed monika moritz moshe mustafa nadia natalie natasha nathan "
    "nicholas nick nicola nicole niklas nina noah noam norbert olga oliver omar oscar oskar "
    "otto pamela pascal patricia patrick paul paula peter petra philip philipp rachel rahel "
    "rainer ralf rebecca regina reinhard renate richard rita robert robin roland rolf roman "
    "ronen rosa rosemarie ruth sabine sabrina sally samira samuel sandra sara sarah sebastian "
    "selma sergej shira silke silvia simon simone sofia sonja sophia sophie stefan stefanie "
    "stella stephan stephen steven susan susanne sven svetlana sylvia tali tamar tanja teresa "
    "theo theodor theresa thomas thorsten tim timothy tobias tom torsten ulrich ulrike ursula "
    "ute uwe valentina vera veronika victor viktor viktoria vincent vladimir walter werner "
    "wilhelm william wolfgang yael yasmin yitzhak yosef youssef yusuf yuval yvonne zainab zoe"
)

"""Twelve real communes, from a city to a village, so that addresses generalise to every level.

Names, postcodes and populations: INSEE and La Poste, Licence Ouverte 2.0. The streets in them are invented.
"""

COMMUNES = (
    ("69003", "LYON"),
    ("59000", "LILLE"),
    ("35000", "RENNES"),
    ("87000", "LIMOGES"),
    ("05000", "GAP"),
    ("76200", "DIEPPE"),
    ("15000", "AURILLAC"),
    ("48000", "MENDE"),
    ("09400", "TARASCON-SUR-ARIEGE"),
    ("01330", "AMBERIEUX-EN-DOMBES"),
    ("04340", "UBAYE-SERRE-PONCON"),
    ("32260", "LAMAGUERE"),
)
"""Postcode and name; from half a million inhabitants down to 81."""

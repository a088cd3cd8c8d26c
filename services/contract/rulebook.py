"""What each rule of the decision asks, and by which text: what a person reads beside a verdict. Decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from services.contract.reasons import Rule


@dataclass(frozen=True, slots=True)
class Asked:
    """One rule: its question, to which the good answer is yes, and its source (articles of the GDPR unless said)."""

    question: str
    source: str


RULEBOOK: Mapping[Rule, Asked] = MappingProxyType(
    {
        "R0": Asked("Is everything known that the decision needs?", "art. 5(1)(f), 24, 25"),
        "R1": Asked("Does the provider have nothing that must be erased?", "art. 17, 19, 28(3)(g)"),
        "R2": Asked("Is there a contract in force for this purpose, with a listed provider?", "art. 5(1)(b), 26, 28"),
        "R3": Asked(
            "Does a task in the public interest cover it? Consent is then not consulted.",
            "art. 6(1)(e), 6(3), 13, 14, 30; code de l'éducation L.131-2; arrêté GAR of 18 December 2017",
        ),
        "R4": Asked("Does a legal obligation cover it?", "art. 6(1)(c), 6(3)"),
        "R5": Asked(
            "Is legitimate interest claimed by nobody who acts as a public authority?", "art. 6(1), last sentence"
        ),
        "R6": Asked("Is the interest balanced and signed where the person is, or may be, a minor?", "art. 6(1)(f)"),
        "R7": Asked("Did somebody sign who may sign for this person?", "art. 6(1)(b); code civil 1146"),
        "R8": Asked("May the service be declined, so that consent is free?", "recital 43; EDPB 05/2020"),
        "R9": Asked("Is the age known? A pupil of unknown age counts as a child.", "LIL art. 45"),
        "R10": Asked(
            "Have the child and a holder of parental authority agreed, and does no holder oppose?",
            "art. 8; LIL art. 45; code civil 372-2; CNIL recommendation 4 (2021)",
        ),
        "R11": Asked("Has the minor agreed, with a holder where one is needed?", "art. 8; LIL art. 45"),
        "R12": Asked("Has the person agreed?", "art. 6(1)(a), 7"),
        "R13": Asked("Does each consent that is needed count: same notice, proof, not expired?", "art. 7(1), 7(3)"),
        "R14": Asked("Has no guardian withdrawn though the minor now decides?", "EDPB 05/2020 §147–149"),
        "R15": Asked("Is no objection open or upheld?", "art. 18, 21"),
        "R16": Asked("Is no field special, free text or a national identifier?", "art. 9, 87; LIL art. 30"),
        "R17": Asked("Is every field in the contract and allowed by the perimeter?", "art. 5(1)(c), 25(2)"),
        "R18": Asked("Does every place outside the EEA protect enough?", "art. 44 to 49"),
        "R19": Asked("Has every place in the United States both the DPF and article 46?", "Decision (EU) 2023/1795"),
        "R20": Asked(
            "Is it stored at home, and controlled from the EEA?",
            "the perimeter's policy; SecNumCloud 3.2 §19.6; SREN art. 31",
        ),
        "R21": Asked("Is the person still there?", "art. 5(1)(e); arrêté ENT of 30 November 2006, art. 6"),
        "R22": Asked("Does no restriction stand?", "art. 18"),
        "R23": Asked("Is an address generalised before it leaves?", "art. 5(1)(c), 25"),
    }
)

"""Why something was released, dropped, held, withheld, erased or set aside: the closed codes and what they mean.

One frozen table; the console, the command line, the ledger and the metrics read it, nobody writes prose elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Rule = Literal[
    "R0", "R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9", "R10", "R11",
    "R12", "R13", "R14", "R15", "R16", "R17", "R18", "R19", "R20", "R21", "R22", "R23",
]  # fmt: skip

ReasonCode = Literal[
    # what cannot be known (R0)
    "key-absent", "unknown-value", "unmapped-field", "unknown-version", "no-offset", "no-place",
    "required-field-absent", "secnumcloud-contradiction", "evaluation-error",
    # what is owed to the person (R1) and the contract (R2)
    "subject-deleted", "no-contract", "contract-over", "contract-not-begun", "purpose-not-in-contract",
    "provider-not-listed",
    # the ground (R3 to R8)
    "public-task", "legal-obligation", "legitimate-interest", "contract-signed",
    "no-act", "act-not-in-force", "kind-not-covered-by-act", "controller-not-public", "controller-not-in-task",
    "provider-not-processor", "no-register-entry", "no-notice", "public-authority-in-task", "no-balancing",
    "signatory-not-entitled", "service-not-optional",
    # consent (R10 to R14)
    "joint-consent", "holders-consent", "minor-consent", "subject-consent",
    "no-consent-age", "child-consent-missing", "holder-consent-missing", "holders-not-unanimous",
    "guardian-opposes", "minor-consent-missing", "subject-consent-missing",
    "consent-withdrawn", "consent-refused", "consent-other-notice", "consent-without-proof", "consent-expired",
    "guardian-withdrew",
    # objection, fields, places, leaving, restrictions (R15 to R23)
    "objection-upheld", "objection-open", "objection-without-grounds",
    "required-field-dropped", "nothing-left", "required-field-restricted",
    "place-not-adequate", "adequacy-not-in-force", "adequacy-out-of-scope", "country-unknown",
    "overseas-undeclared", "no-dpf-entry", "dpf-not-in-force", "dpf-not-allowed", "no-instrument",
    "no-transfer-assessment", "article-46-not-allowed",
    "sovereignty-undeclared", "storage-abroad", "control-abroad", "control-unknown", "no-secnumcloud",
    "gone-waiting", "gone-too-long", "court-order", "article-18",
]  # fmt: skip

StageCode = Literal[
    "unchanged", "superseded", "duplicate", "reference-data", "no-image", "subject-unknown",
    "school-not-subscribed", "kind-not-in-contract", "no-linked-pupil", "provider-unknown", "policy-not-here",
    "field-not-in-contract", "contract-not-in-force", "place-not-allowed", "never-attempted", "delivered",
    "renamed", "not-an-identifier", "stale-consents", "backlog", "release-window", "allowed-again",
    "stale-policies", "deletion-guard", "merge-under-way", "known-elsewhere", "two-ines", "one-ine-twice",
    "no-census", "cell-too-small", "no-address", "address-abroad", "address-unknown",
    "not-json", "not-this-schema", "too-large", "key-mismatch", "unreadable", "unexpected",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of a verdict: which rule spoke, and what it found."""

    rule: Rule
    code: ReasonCode


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code says to an operator: `rules` that may give it (none for a stage), a sentence, what to do."""

    rules: tuple[Rule, ...]
    sentence: str
    action: str


_NOTHING = "Nothing to do."
_ASK_CONSENT = "Collect the missing consent through the school; the release follows by itself."
_SEND_AGAIN = "Have the sender correct the record and send it again."
_CHECK_POLICY = "Correct the policy entry, then apply it; everyone concerned is decided again."

REASONS: Mapping[ReasonCode, Meaning] = MappingProxyType(
    {
        "key-absent": Meaning(("R0",), "A key that the decision needs is absent.", _SEND_AGAIN),
        "unknown-value": Meaning(("R0",), "A value has the wrong type or is not a listed one.", _SEND_AGAIN),
        "unmapped-field": Meaning(
            ("R0",), "A field has no category, or one that is not listed.", "Give the field a listed category."
        ),
        "unknown-version": Meaning(
            ("R0",), "The request is of a version that is not known here.", "Upgrade this service, or the sender."
        ),
        "no-offset": Meaning(
            ("R0",), "The instant of the decision has no offset from UTC.", "Send `now` with an offset."
        ),
        "no-place": Meaning(
            ("R0",), "The provider declares no place.", "Obtain the places of the provider and declare them."
        ),
        "required-field-absent": Meaning(
            ("R0",), "A field that the purpose requires is absent.", "Complete the directory, or the contract."
        ),
        "secnumcloud-contradiction": Meaning(
            ("R0",),
            "A place is controlled outside the EEA and yet holds a SecNumCloud entry, against its §19.6.",
            "Check the entry and the control of the operator: one of the two is wrong.",
        ),
        "evaluation-error": Meaning(
            ("R0",), "The evaluation itself failed.", "Report the defect; the record is held until it is mended."
        ),
        "subject-deleted": Meaning(("R1", "R2"), "The directory deleted the person.", _NOTHING),
        "no-contract": Meaning(("R1", "R2"), "There is no contract.", "Sign a contract, or leave it so."),
        "contract-over": Meaning(("R1", "R2"), "The contract is over.", "Renew the contract, or leave it so."),
        "contract-not-begun": Meaning(("R2",), "The contract has not begun.", "Wait for its first day."),
        "purpose-not-in-contract": Meaning(("R2",), "The contract does not name the purpose.", _CHECK_POLICY),
        "provider-not-listed": Meaning(("R2",), "The perimeter does not list the provider.", _CHECK_POLICY),
        "public-task": Meaning(("R3",), "A task in the public interest covers the release.", _NOTHING),
        "legal-obligation": Meaning(("R4",), "A legal obligation covers the release.", _NOTHING),
        "legitimate-interest": Meaning(("R6",), "A legitimate interest covers the release.", _NOTHING),
        "contract-signed": Meaning(("R7",), "The person or a guardian signed the contract.", _NOTHING),
        "no-act": Meaning(("R3", "R4"), "No legal act is named.", _CHECK_POLICY),
        "act-not-in-force": Meaning(("R3", "R4"), "The legal act is not in force today.", _CHECK_POLICY),
        "kind-not-covered-by-act": Meaning(
            ("R3", "R4"), "The legal act does not cover this kind of person.", "Use another ground, or none."
        ),
        "controller-not-public": Meaning(("R3",), "The controller is no public authority.", _CHECK_POLICY),
        "controller-not-in-task": Meaning(("R3",), "The controller acts outside its task.", _CHECK_POLICY),
        "provider-not-processor": Meaning(("R3",), "The provider is not a processor.", _CHECK_POLICY),
        "no-register-entry": Meaning(("R3",), "The register of processing has no entry.", _CHECK_POLICY),
        "no-notice": Meaning(("R3",), "The persons were given no notice.", "Publish the notice and name it."),
        "public-authority-in-task": Meaning(
            ("R5",), "A public authority in its task may not rely on legitimate interest.", "Use another ground."
        ),
        "no-balancing": Meaning(
            ("R6",), "The person is or may be a minor, and no balancing is signed.", "Have the balancing signed."
        ),
        "signatory-not-entitled": Meaning(
            ("R7",), "Whoever signed may not do so for this person.", "Have a guardian sign, or the adult."
        ),
        "service-not-optional": Meaning(
            ("R8",), "Consent cannot be free: the service is not optional.", "Use another ground."
        ),
        "joint-consent": Meaning(("R10",), "The child and the holders of parental authority agree.", _NOTHING),
        "holders-consent": Meaning(("R10",), "The holders of parental authority agree.", _NOTHING),
        "minor-consent": Meaning(("R11",), "The minor agrees, with a holder where one is needed.", _NOTHING),
        "subject-consent": Meaning(("R12",), "The person agrees.", _NOTHING),
        "no-consent-age": Meaning(("R10",), "The perimeter sets no age of consent.", _CHECK_POLICY),
        "child-consent-missing": Meaning(("R10",), "The child has not agreed.", _ASK_CONSENT),
        "holder-consent-missing": Meaning(("R10", "R11"), "No holder of parental authority has agreed.", _ASK_CONSENT),
        "holders-not-unanimous": Meaning(
            ("R10",), "The act is not a usual one, and a holder has not agreed.", _ASK_CONSENT
        ),
        "guardian-opposes": Meaning(("R1", "R10"), "A guardian opposes.", "Respect it; the family decides."),
        "minor-consent-missing": Meaning(("R11",), "The minor has not agreed.", _ASK_CONSENT),
        "subject-consent-missing": Meaning(("R12",), "The person has not agreed.", _ASK_CONSENT),
        "consent-withdrawn": Meaning(
            ("R1", "R13"), "A consent that is needed was withdrawn.", "Respect it; do not ask again unprompted."
        ),
        "consent-refused": Meaning(
            ("R1", "R13"), "A consent that is needed was refused.", "Respect it; do not ask again unprompted."
        ),
        "consent-other-notice": Meaning(("R13",), "The consent was given on another notice.", _ASK_CONSENT),
        "consent-without-proof": Meaning(("R13",), "The consent has no proof.", _ASK_CONSENT),
        "consent-expired": Meaning(("R13",), "The consent has expired.", _ASK_CONSENT),
        "guardian-withdrew": Meaning(
            ("R14",),
            "A guardian withdrew though the minor decides alone.",
            "Ask the minor: a later consent releases, a withdrawal erases.",
        ),
        "objection-upheld": Meaning(("R1", "R15"), "An objection was upheld.", _NOTHING),
        "objection-open": Meaning(("R15",), "An objection is open.", "Answer it within a month (GDPR 12(3))."),
        "objection-without-grounds": Meaning(
            ("R15",), "An objection was rejected without grounds.", "Write down the compelling grounds, or uphold."
        ),
        "required-field-dropped": Meaning(
            ("R16", "R17", "R23"),
            "A field that the purpose requires may not leave.",
            "Amend the contract; where the value itself holds an identifier or an address, correct the directory.",
        ),
        "nothing-left": Meaning(("R17",), "No field is left to send.", "Compare contract and allow-list."),
        "required-field-restricted": Meaning(
            ("R22",), "A restriction drops a field that the purpose requires.", "Arrange access by hand, or wait."
        ),
        "place-not-adequate": Meaning(
            ("R18",), "A place lies in a country without adequacy.", "Move the place, or add an instrument."
        ),
        "adequacy-not-in-force": Meaning(
            ("R18", "R19"),
            "The adequacy of a place's country is not in force.",
            "Move the place; outside the US, an instrument may do.",
        ),
        "adequacy-out-of-scope": Meaning(
            ("R18",), "The adequacy of a place's country does not cover this.", "Declare the scope, if it holds."
        ),
        "country-unknown": Meaning(("R18",), "A place's country code is not assigned.", _CHECK_POLICY),
        "overseas-undeclared": Meaning(
            ("R18",), "A place lies in an overseas territory without a rule.", "Have the perimeter declare one."
        ),
        "no-dpf-entry": Meaning(("R19",), "A place in the US has no entry in the DPF.", "Move the place."),
        "dpf-not-in-force": Meaning(("R19",), "The DPF entry of a place is not in force.", "Move the place."),
        "dpf-not-allowed": Meaning(("R19",), "The perimeter does not accept the DPF.", "Move the place."),
        "no-instrument": Meaning(("R19",), "A place in the US has no SCC or BCR.", "Add an instrument."),
        "no-transfer-assessment": Meaning(
            ("R18", "R19"), "The SCC or BCR of a place has no assessment.", "Assess the transfer, or move the place."
        ),
        "article-46-not-allowed": Meaning(
            ("R18", "R19"), "The perimeter does not accept transfers under article 46.", "Move the place."
        ),
        "sovereignty-undeclared": Meaning(("R20",), "The perimeter does not say if it is sovereign.", _CHECK_POLICY),
        "storage-abroad": Meaning(("R20",), "Storage or backup lies outside the storage country.", "Move the place."),
        "control-abroad": Meaning(("R20",), "An operator is controlled outside the EEA.", "Change the operator."),
        "control-unknown": Meaning(("R20",), "Nobody can say who controls an operator.", "Find out, and declare it."),
        "no-secnumcloud": Meaning(("R20",), "A place has no SecNumCloud in force.", "Change or qualify the operator."),
        "gone-waiting": Meaning(("R21",), "The person left, not yet three months ago.", _NOTHING),
        "gone-too-long": Meaning(("R1", "R21"), "The person left three months ago or more.", _NOTHING),
        "court-order": Meaning(("R22",), "A court order stands.", "Follow the order; lift it when it ends."),
        "article-18": Meaning(("R22",), "The person asked for restriction.", "Answer the request, then lift it."),
    }
)

STAGES: Mapping[StageCode, Meaning] = MappingProxyType(
    {
        "unchanged": Meaning((), "Nothing that the provider may see has changed.", _NOTHING),
        "superseded": Meaning((), "A later operation on the same pair went first.", _NOTHING),
        "duplicate": Meaning((), "The same operation on the same pair was already taken.", _NOTHING),
        "reference-data": Meaning((), "A school or a group: kept for reference, released to nobody.", _NOTHING),
        "no-image": Meaning((), "A patch came before the full image.", "Publish a complete export of the source."),
        "subject-unknown": Meaning((), "The person is not known.", "Publish a complete export of the source."),
        "school-not-subscribed": Meaning((), "The school has not subscribed to the contract.", _NOTHING),
        "kind-not-in-contract": Meaning((), "The contract is not for this kind of person.", _NOTHING),
        "no-linked-pupil": Meaning(
            (), "No pupil whom the provider knows links this guardian to the contract.", _NOTHING
        ),
        "provider-unknown": Meaning((), "No policy names the provider.", _CHECK_POLICY),
        "policy-not-here": Meaning(
            (), "The policies of the decision have not reached this stage.", "Wait; check the reading of policies."
        ),
        "field-not-in-contract": Meaning(
            (),
            "A field came that the contract does not name, or names no longer.",
            "Where the contract was narrowed, wait: the filter says it anew. Else report it: the stage before should "
            "have dropped it.",
        ),
        "contract-not-in-force": Meaning((), "The contract was not in force at the time of sending.", _CHECK_POLICY),
        "place-not-allowed": Meaning((), "A place was not allowed at the time of sending.", _CHECK_POLICY),
        "stale-consents": Meaning(
            (),
            "How far the consents are applied is not known here: nothing is released, and no upsert told.",
            "Look at the filter and its consents.",
        ),
        "stale-policies": Meaning(
            (), "Whether the policies are the latest is not known here: nothing is released.", "Look at the broker."
        ),
        "deletion-guard": Meaning(
            (),
            "A change of policy would erase everybody at once: it waits, and nothing new is released.",
            "Look at `sanctuaire policy pending`; approve the set, or put a corrected one in force.",
        ),
        "merge-under-way": Meaning(
            (),
            "An INE shows that two keys are one person's: nothing new is released before they are one.",
            "Nothing to do within a minute; where it lasts, look whether a source has two people under one INE.",
        ),
        "known-elsewhere": Meaning(
            (), "The person is known under her INE now: handed on there, where the account says how it ended.", _NOTHING
        ),
        "two-ines": Meaning(
            (),
            "The directory shows another INE for a person who is known under one: nothing new is released.",
            "Have the directory say which of the two it is; two people may have got mixed up.",
        ),
        "one-ine-twice": Meaning(
            (),
            "A source has two people under one INE: they stay two, and the second one is held.",
            "Have the source correct the INE, or delete the person who is there twice.",
        ),
        "no-census": Meaning(
            (), "No census has counted who lives where: no place is told.", "Run `sanctuaire census`; it counts pupils."
        ),
        "cell-too-small": Meaning(
            (),
            "Too few pupils of the provider live there, at every level that the contract names: no place is told.",
            "Nothing to do; a contract that names coarser levels is told more.",
        ),
        "no-address": Meaning((), "The directory says no postcode and no town: no place is told.", _NOTHING),
        "address-abroad": Meaning((), "The address is not in France: no place is told.", _NOTHING),
        "address-unknown": Meaning(
            (), "Postcode and town lead to no commune, or to several: no place is told.", "Correct the address."
        ),
        "backlog": Meaning((), "What lies behind it is read first: only the last word is told.", _NOTHING),
        "release-window": Meaning((), "It leaves when the contract's release window ends.", _NOTHING),
        "allowed-again": Meaning((), "What kept it back is over: it leaves with the next ones.", _NOTHING),
        "never-attempted": Meaning((), "The provider was never sent this pseudonym: no erasure is due.", _NOTHING),
        "delivered": Meaning((), "The provider acknowledged.", _NOTHING),
        "not-json": Meaning((), "The bytes are not JSON.", _SEND_AGAIN),
        "not-this-schema": Meaning((), "The record does not follow its schema.", _SEND_AGAIN),
        "renamed": Meaning((), "It goes on under the provider's own names.", _NOTHING),
        "not-an-identifier": Meaning((), "An identifier is a placeholder or malformed: it names nobody.", _SEND_AGAIN),
        "unreadable": Meaning((), "The record itself breaks Kafka's own format: its headers, say.", _SEND_AGAIN),
        "too-large": Meaning((), "The record is too large.", _SEND_AGAIN),
        "key-mismatch": Meaning((), "The key of the record is not that of its payload.", _SEND_AGAIN),
        "unexpected": Meaning((), "The stage failed in a way that nobody foresaw.", "Report the defect, then replay."),
    }
)

DROPS: Mapping[Rule, Meaning] = MappingProxyType(
    {
        "R16": Meaning(
            ("R16",),
            "A field that never leaves: special, free text, a national identifier, or a trace of one in a value.",
            "Nothing to do, unless a value holds what does not belong there: have the directory corrected.",
        ),
        "R17": Meaning(
            ("R17",),
            "A field that the contract or the perimeter does not name.",
            "Nothing to do; where the provider needs it, say so in the contract, with its purpose.",
        ),
        "R22": Meaning(
            ("R22",), "A field that a restriction keeps inside.", "Nothing to do until the restriction is lifted."
        ),
        "R23": Meaning(
            ("R23",),
            "An address finer than may leave.",
            "Nothing to do; a contract may name commune, département or region instead.",
        ),
    }
)
"""Of what is released, what each rule says of a field that stays inside."""

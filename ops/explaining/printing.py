"""A trace as JSON: what `--json` prints, and all that the tables show. Values only where they were asked for."""

from typing import Any

from ops.explaining.trace import ContractTrace, SourceLine, Trace, issued_at, version_of
from ops.explaining.whereabouts import StageLine, Whereabouts, sentence_of
from services.contract.reasons import REASONS, STAGES, ReasonCode, Rule
from services.contract.rulebook import RULEBOOK
from services.filtering.explanation import Explanation, Line


def to_json(trace: Trace) -> dict[str, Any]:
    return {
        "subject": trace.asked,
        "provider": trace.provider,
        "at": trace.at.isoformat(),
        "partition": trace.partition,
        "written_at": trace.written_at.isoformat(),
        "kind": trace.kind,
        "sources": [_source(line) for line in trace.sources],
        "contracts": [_contract(each) for each in trace.contracts],
        "left_out": trace.left_out,
    }


def _source(line: SourceLine) -> dict[str, Any]:
    shown = {
        "source": line.source,
        "picked": line.picked,
        "category": line.category,
        "image": _version(line.version),
        "deleted": _version(line.deleted),
        "said": list(line.said),
        "patched": {name: _version(version) for name, version in line.patched.items()},
    }
    return shown if line.values is None else {**shown, "values": dict(line.values)}


def _version(version: str | None) -> dict[str, Any] | None:
    return None if version is None else {"version": version, **version_of(version)._asdict()}


def _contract(each: ContractTrace) -> dict[str, Any]:
    return {
        "contract": each.pair.partition("/")[2],
        "purpose": each.contract.purpose if each.contract else None,
        "legal_basis": each.contract.legal_basis.article if each.contract else None,
        "policy": None if each.named is None else each.named._asdict(),
        "out_of_scope": None if each.scope is None else {"code": each.scope, "sentence": STAGES[each.scope].sentence},
        "place": None if each.place is None else {
            "code": each.place, "sentence": STAGES[each.place].sentence, "action": STAGES[each.place].action,
        },
        "decision": None if each.explanation is None else _explanation(each, each.explanation),
        "now": None if each.now is None else {
            "end": each.now.end, "reason": each.now.reason,
            "sends": None if each.now.emission is None else each.now.emission.payload,
        },
        "fence": None if each.fence is None else {
            "seq": each.fence.seq, "issued_at": issued_at(each.fence).isoformat(), "last": each.fence.last,
            "digest": each.fence.digest,
        },
        "pseudonym": each.pseudonym,
        "delivery": None if each.whereabouts is None else _whereabouts(each.whereabouts),
    }  # fmt: skip


def _explanation(each: ContractTrace, explanation: Explanation) -> dict[str, Any]:
    verdict = explanation.verdict
    return {
        "verdict": verdict.verdict,
        "restrict": verdict.restrict,
        "reasons": [_reason(reason.rule, reason.code) for reason in verdict.reasons],
        "rules": [_line(line) for line in explanation.lines],
        "parties": [
            {"party": line.party, "says": line.says.value, "code": line.code,
             "at": None if line.at is None else line.at.isoformat()}
            for line in explanation.parties
        ],
        "fields": [
            {"field": str(line.name), "category": line.category, "kept": not line.rules, "dropped_by": list(line.rules),
             "found_in_value": sorted(each.traces.get(str(line.name), ()))}
            for line in explanation.fields
        ],
        "absent": list(explanation.absent),
        "required": list(explanation.required),
    }  # fmt: skip


def _reason(rule: Rule, code: ReasonCode) -> dict[str, str]:
    return {"rule": rule, "code": code, "sentence": REASONS[code].sentence, "action": REASONS[code].action}


def _line(line: Line) -> dict[str, Any]:
    asked = RULEBOOK[line.rule]
    return {
        "rule": line.rule,
        "question": asked.question,
        "source": asked.source,
        "standing": line.standing,
        "found": [{**_reason(line.rule, each.code), "outcome": each.outcome} for each in line.found],
        "ground": None if line.ground is None else _reason(line.rule, line.ground),
        "fields": list(line.fields),
    }


def _whereabouts(found: Whereabouts) -> dict[str, Any]:
    return {
        "owed": found.owed,
        "consents_until": None if found.consents_until is None else found.consents_until.isoformat(),
        "stages": [_stage(line) for line in found.stages],
    }


def _stage(line: StageLine) -> dict[str, Any]:
    sentence, action = sentence_of(line.code) if line.code else ("", "")
    return {
        "stage": line.stage,
        "word": line.word,
        "operation": line.operation,
        "seq": line.seq,
        "at": None if line.at is None else line.at.isoformat(),
        "code": line.code,
        "sentence": sentence,
        "action": action,
    }

"""``netmon alerts rules``: what counts for a building, and why; without one the table."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from netmon.cli.base import open_store
from netmon.cli.inventory import print_json
from netmon.errors import NetmonError
from netmon.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alerts.rule_settings import EffectiveRule, Origin
    from alerts.rules import Rule
    from netmon.config import AlertSettings
    from netmon.model import Inventory, Line
    from netmon.rule_overrides import Field

    # A rule for one target: what it is about (None: not one line), and the rule there.
    Shown = tuple[Line | None, EffectiveRule]


def print_rules(args: argparse.Namespace, texts: Texts) -> int:
    """Print the rules; return 0.

    Raises:
        NetmonError: there is no inventory, or no such building in it.
    """
    from alerts.rule_settings import strangers
    from netmon.storage.current import CurrentInventory

    with open_store(args.config) as (store, settings):
        inventory = CurrentInventory(store.inventories)()
    building_id: str | None = args.building
    if building_id is not None and not inventory.buildings:
        raise NetmonError(texts("alerts.no_inventory"))
    if building_id not in {None, *inventory.building_by_id}:
        raise NetmonError(texts("alerts.no_building", id=building_id))
    for problem in strangers(settings.alerts, inventory):
        print(problem, file=sys.stderr)
    found = list(_found(settings.alerts, inventory, building_id))
    if args.json:
        print_json([_plain(building_id, *one) for _, shown in found for one in shown])
        return 0
    for text in (
        *_head(inventory, building_id, texts),
        *_table(found, settings.alerts, texts),
        *(_tail(settings.alerts, inventory, texts) if building_id is None else ()),
    ):
        print(text)
    return 0


def _found(
    settings: AlertSettings, inventory: Inventory, building_id: str | None
) -> Iterator[tuple[Rule, list[Shown]]]:
    """Yield each rule that the building has, with what counts for its targets."""
    from alerts.rule_settings import EffectiveRules, effective
    from alerts.rules import RULES, Scope
    from netmon.alarm_classes import RuleName

    rules = EffectiveRules(settings, inventory)
    for rule in RULES.values():
        if building_id is None:
            yield rule, [(None, effective(rule, None, None, settings))]
        elif rule.scope is Scope.LINE:
            lines = inventory.lines_of[building_id]
            yield rule, [(line, rules.of(rule, building_id, line)) for line in lines]
        elif rule.name != RuleName.MONITOR:
            yield rule, [(None, rules.of(rule, building_id, None))]


def _head(inventory: Inventory, building_id: str | None, texts: Texts) -> Iterator[str]:
    if building_id is None:
        return
    building = inventory.building_by_id[building_id]
    yield texts(
        "alerts.rules.building",
        name=building.name,
        street=building.street,
        district=building.campus_district,
        school_type=building.school_type,
    )


def _table(
    found: list[tuple[Rule, list[Shown]]], settings: AlertSettings, texts: Texts
) -> Iterator[str]:
    for rule, shown in found:
        yield texts(f"alerts.rules.title.{rule.name}")
        yield f"  {_about(rule, settings, texts)}"
        yield from _lines(shown, texts)


def _about(rule: Rule, settings: AlertSettings, texts: Texts) -> str:
    from netmon.model import (
        CLEAR_MARGIN,
        CONTRACT_SHARE,
        REACHABLE_SHARE,
        TARGET_DOWN_BPS,
    )

    return texts(
        f"alerts.rules.about.{rule.name}",
        target=texts.rate(TARGET_DOWN_BPS),
        share=texts.percent(CONTRACT_SHARE, 0),
        margin=texts.percent(CLEAR_MARGIN - 1, 0),
        reach=texts.percent(REACHABLE_SHARE, 0),
        blind_share=texts.percent(settings.blind_share, 0),
        waver_of=rule.limits(settings, None).waver_of,
    )


def _lines(shown: list[Shown], texts: Texts) -> Iterator[str]:
    from netmon.model import below_by_contract

    for line, rule in shown:
        indent = "  "
        if line is not None:
            indent = "    "
            yield "  " + texts(
                "alerts.rules.line.title",
                role=texts(f"line_role.{line.role}"),
                id=line.id,
                technology=texts(f"technology.{line.technology}"),
                contracted=texts.rate(line.contracted_down_bps),
            )
        fields = dict(_values(rule, texts))
        for field, value in fields.items():
            why = _why(rule.origins[field], line, texts)
            name = texts(f"alerts.rules.field.{field}")
            yield f"{indent}{name}: {value}  ({why})"
        if line is not None and _has_threshold(rule) and below_by_contract(line):
            threshold = texts.rate(rule.limits.raise_below)
            yield indent + texts("alerts.rules.line.known", threshold=threshold)


def _has_threshold(rule: EffectiveRule) -> bool:
    from netmon.rule_overrides import Field

    return Field.RAISE_BELOW in rule.origins


def _values(rule: EffectiveRule, texts: Texts) -> Iterator[tuple[Field, str]]:
    """Yield the fields a rule has, in words; one that is off has no other."""
    from netmon.rule_overrides import Field

    if not rule.enabled:
        yield Field.ENABLED, texts("alerts.rules.off")
        return
    limits, breaks = rule.limits, rule.limits.breaks_within_s
    words = {
        Field.RAISE_BELOW: texts.rate(limits.raise_below),
        Field.CLEAR_FROM: texts.rate(limits.clear_from),
        Field.CONFIRM_COUNT: texts(
            "alerts.rules.n_of_m" if breaks is None else "alerts.rules.breaks",
            n=limits.confirm_count,
            m=limits.confirm_of or limits.confirm_count,
            within=texts.duration(breaks),
        ),
        Field.CLEAR_COUNT: texts("alerts.rules.in_a_row", n=limits.clear_count),
        Field.AFTER_S: texts.duration(rule.after_s),
        Field.SEVERITY: texts(f"severity.{rule.severity}"),
        Field.DELIVERY: texts(f"delivery.{rule.delivery}"),
        Field.AUDIENCES: ", ".join(texts(f"audience.{x}") for x in rule.audiences),
    }
    for field, text in words.items():
        absent = field is Field.AFTER_S and not rule.after_s
        absent |= field is Field.RAISE_BELOW and limits.raise_below is None
        absent |= field is Field.CLEAR_FROM and limits.clear_from is None
        if field in rule.origins and not absent:
            yield field, text


def _why(origin: Origin, line: Line | None, texts: Texts) -> str:
    from netmon.model import CONTRACT_SHARE, TARGET_DOWN_BPS

    place = ", ".join(
        f"{texts(f'alerts.rules.place.{name}')} {_place(name, value, texts)}"
        for name, value in origin.place
    )
    contracted = texts.rate(None if line is None else line.contracted_down_bps)
    share = texts.percent(CONTRACT_SHARE, 0)
    why = texts(
        f"alerts.rules.why.{origin.kind}",
        setting=origin.setting,
        number=0 if origin.entry is None else origin.entry + 1,
        place=place or texts("alerts.rules.city"),
        target=texts.rate(TARGET_DOWN_BPS),
        contracted=contracted,
        share=share,
    )
    if origin.contract:
        bound = texts("alerts.rules.bound", share=share, contracted=contracted)
        why = f"{why}; {bound}"
    return why


def _place(name: str, value: str, texts: Texts) -> str:
    return texts(f"technology.{value}") if name == "technology" else value


def _tail(settings: AlertSettings, inventory: Inventory, texts: Texts) -> Iterator[str]:
    """Yield what differs somewhere, and how many lines are below by contract."""
    from alerts.rules import lines_below_by_contract
    from netmon.model import TARGET_DOWN_BPS, LineRole

    for number, entry in enumerate(settings.rules, 1):
        place = ", ".join(
            f"{texts(f'alerts.rules.place.{name}')} {_place(name, value, texts)}"
            for name, value in entry.place
        )
        yield texts(
            "alerts.rules.entry",
            number=number,
            rule=entry.rule,
            place=place or texts("alerts.rules.city"),
            fields=", ".join(entry.changes),
        )
    if not inventory.buildings:
        return
    mains = [line for line in inventory.lines if line.role is LineRole.MAIN]
    yield texts(
        "alerts.rules.about_contract",
        count=texts.number(len(lines_below_by_contract(inventory))),
        total=texts.number(len(mains)),
        target=texts.rate(TARGET_DOWN_BPS),
    )


def _plain(
    building_id: str | None, line: Line | None, rule: EffectiveRule
) -> dict[str, Any]:
    """Return a rule as JSON has it: rates in bit/s, times in s."""
    limits = rule.limits
    values = {
        "enabled": rule.enabled,
        "raise_below": limits.raise_below,
        "clear_from": limits.clear_from,
        "confirm_count": limits.confirm_count,
        "confirm_of": limits.confirm_of or limits.confirm_count,
        "clear_count": limits.clear_count,
        "after_s": rule.after_s,
        "severity": rule.severity,
        "delivery": rule.delivery,
        "audiences": rule.audiences,
    }
    return {
        "rule": rule.name,
        "building": building_id,
        "line": None if line is None else line.id,
        "fields": {
            field: {
                "value": values[field],
                "from": origin.kind,
                "setting": origin.setting or None,
                "entry": origin.entry,
                "place": dict(origin.place),
                "bounded_by_contract": origin.contract,
            }
            for field, origin in rule.origins.items()
        },
    }

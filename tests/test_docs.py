"""The documentation is held to the code: what exists has its line."""

from __future__ import annotations

import re

import msgspec
import pytest

from netmon.cli import COMMANDS
from netmon.config import Settings
from netmon.inventory import load_folder
from netmon.inventory.columns import KINDS as LISTS
from netmon.metrics import KINDS, METRICS
from netmon.own_metrics import OWN_KINDS


def settings_names(kind: type, prefix: str = "") -> list[str]:
    names = []
    for field in msgspec.structs.fields(kind):
        nested = field.type if isinstance(field.type, type) else None
        if nested is not None and issubclass(nested, msgspec.Struct):
            names += settings_names(nested, f"{prefix}{field.name}.")
        else:
            names.append(prefix + field.name)
    return names


def test_every_setting_has_a_line(repo_dir):
    text = (repo_dir / "docs/betrieb/einstellungen.md").read_text(encoding="utf-8")
    written = set(re.findall(r"^\| `([a-z_.]+)` \|", text, re.MULTILINE))
    assert written == set(settings_names(Settings))


def test_every_default_is_the_documented_one(repo_dir):
    text = (repo_dir / "docs/betrieb/einstellungen.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \| (.+?) \|", text, re.MULTILINE))
    for name, shown in rows.items():
        value: object = Settings()
        for part in name.split("."):
            value = getattr(value, part)
        if isinstance(value, bool):
            value = str(value).lower()
        elif isinstance(value, float):
            value = f"{value:g}"
        elif isinstance(value, tuple) and value:
            value = str(list(value)).replace("'", '"')
        assert shown == (f"`{value}`" if value not in ("", ()) else "leer"), name


@pytest.mark.parametrize("kind", KINDS)
def test_every_measured_quantity_has_a_line(repo_dir, kind):
    text = (repo_dir / "docs/dev/metrics.md").read_text(encoding="utf-8")
    assert f"## {kind}\n" in text
    for name in METRICS:
        if name.startswith(f"{kind}_"):
            short = name.removeprefix(f"{kind}_")
            assert f"| `{short}` |" in text.partition(f"## {kind}\n")[2], name


@pytest.mark.parametrize("kind", OWN_KINDS.values(), ids=list(OWN_KINDS))
def test_every_quantity_netmon_concludes_has_a_line(repo_dir, kind):
    text = (repo_dir / "docs/dev/metrics.md").read_text(encoding="utf-8")
    assert f"## {kind.name}\n" in text
    section = text.partition(f"## {kind.name}\n")[2].partition("\n## ")[0]
    for tag in (*kind.tags, *kind.optional_tags):
        assert f"`{tag}`" in section, tag
    for metric in kind.metrics:
        shown = "is_…" if metric.name.startswith("is_") else metric.name
        assert f"| `{shown}` |" in section, metric.name


def test_every_command_is_in_the_operators_list(repo_dir):
    text = (repo_dir / "docs/betrieb/befehle.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"`netmon {name.replace('_', '-')}" in text


def test_every_link_between_documents_leads_somewhere(repo_dir):
    for path in [*repo_dir.glob("*.md"), *repo_dir.glob("docs/**/*.md")]:
        text = path.read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?://|mailto:)([^)#]+)", text):
            assert (path.parent / target).exists(), f"{path.name} -> {target}"


@pytest.mark.parametrize("kind", LISTS, ids=[kind.name for kind in LISTS])
def test_every_column_of_the_inventory_has_a_line(repo_dir, kind):
    text = (repo_dir / "docs/betrieb/bestand.md").read_text(encoding="utf-8")
    section = text.partition(f"\n## {kind.name}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+?`) \| .+ \| (.+?) \|$", section, re.MULTILINE)
    written = {
        name: empty for row, empty in rows for name in row.strip("`").split("`, `")
    }
    assert written.keys() == kind.column_by_name.keys()
    for column in kind.columns:
        assert (written[column.name] == "nötig") is column.required, column.name


def test_the_inventory_shown_is_a_good_one(repo_dir, tmp_path):
    text = (repo_dir / "docs/betrieb/bestand.md").read_text(encoding="utf-8")
    shown = re.findall(
        r"^`(\w+\.\w+)`:\n\n```\w+\n(.+?)```", text, re.MULTILINE | re.DOTALL
    )
    assert len(shown) == 3
    for name, content in shown:
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert load_folder(tmp_path).line_by_id.keys() == {"gs-07-l1"}

"""The API's own description against the running API, by schemathesis."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from dashboards.openapi import operations

pytestmark = pytest.mark.slow

# By hand with more: NETMON_API_EXAMPLES=200
EXAMPLES = int(os.environ.get("NETMON_API_EXAMPLES", "3"))
# What is posted also has rules that no schema can tell: a building that exists, an end
# after its start.
CONFIG = """
seed = 20261120
color = false
[generation]
deterministic = true
max-examples = {examples}
no-shrink = true
[auth.openapi.operatorToken]
bearer = "{keys.operator}"
[auth.openapi.senderToken]
bearer = "{keys.probe}"
[auth.openapi.session]
api_key = "{keys.session}"
[auth.openapi.csrfWord]
api_key = "{keys.csrf}"
[[operations]]
include-method = "POST"
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "404", "409", "422"]
"""


@pytest.mark.timeout(EXAMPLES * 60)
async def test_schemathesis_finds_nothing(app, url, keys, tmp_path: Path):
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG.format(examples=EXAMPLES, keys=keys))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "schemathesis.cli", "--config-file", str(config)),
        *("run", f"{url}/api/v1/openapi.json"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    count = len(list(operations(app.openapi())))
    assert f"Tested: {count}" in said.decode()

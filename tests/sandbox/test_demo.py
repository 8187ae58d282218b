"""The demo's story. CI tells it whole (`make demo`); here: that a step that comes out wrong is not passed over."""

import re
import subprocess
import sys
from pathlib import Path

from app.sandbox.scenes import SCENES

ROOT = Path(__file__).resolve().parents[2]
BROKEN = """
import asyncio, sys
from app.sandbox.story import Story, expect, run_demo

async def fine(story: Story) -> list[str]:
    return [f"there are {len(await story.clients_with('nobody@example.com'))} clients"]

async def wrong(story: Story) -> list[str]:
    expect(await story.clients_with("nobody@example.com"), "no client was made")
    return ["it was made"]

scenes = [("Looking", fine), ("Hoping", wrong), ("Looking again", fine)]
sys.exit(asyncio.run(run_demo(scenes, once=True, port=0)))
"""


def test_a_step_that_comes_out_wrong_is_told_and_fails_the_demo_after_the_others() -> None:
    command = [sys.executable, "-c", BROKEN]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    told = [line.strip() for line in done.stdout.splitlines()]
    assert done.returncode == 1, done.stderr
    assert [line for line in told if line[:2] in ("1.", "2.", "3.")] == ["1. Looking", "2. Hoping", "3. Looking again"]
    assert told.count("there are 0 clients") == 2
    assert "it did not come out as told: no client was made" in told
    assert "1 of 3 steps did not come out as told." in told


def test_the_readme_tells_the_story_that_the_demo_tells() -> None:
    text = (ROOT / "README.md").read_text()
    section = text.partition("### What the demo shows\n")[2].partition("\n## ")[0]
    assert re.findall(r"^(\d+)\. (.+)$", section, re.MULTILINE) == [
        (str(number), title) for number, (title, _) in enumerate(SCENES, 1)
    ]
    assert f"All {len(SCENES)} steps came out as told." in section

"""Hosted CI: what it runs exists, what it publishes has passed, what fails is told."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
GITHUB = ROOT / ".github"
CHECKS = {"style", "test", "pages", "grading"}
FAKE_GH = """#!/bin/sh
case "$1 $2" in
    "api "*) printf 'newest\\tweb/1\\nColab\\tweb/2\\n' ;;
    "issue list") case "$*" in *'"Weekly: Colab"'*) echo 7 ;; esac ;;
    *) printf '%s\\n' "$@" "" >> "$GH_LOG" ;;
esac
"""


def read(name):
    """Return a workflow as a dictionary."""
    return yaml.safe_load((GITHUB / "workflows" / f"{name}.yml").read_text())


WORKFLOWS = sorted(path.stem for path in (GITHUB / "workflows").glob("*.yml"))
JOBS = {
    f"{name}/{job}": content
    for name in WORKFLOWS
    for job, content in read(name)["jobs"].items()
}


def commands(job):
    """Return what the steps of a job run, as one text."""
    return "\n".join(step.get("run", "") for step in job.get("steps", ()))


@pytest.mark.parametrize("name", JOBS)
def test_what_a_job_runs_exists(name):
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"\bmake ([a-z]+)", commands(JOBS[name])):
        assert f"\n{target}:" in makefile
    for path in re.findall(r"(?<!/)\b(?:tools|tests|book)/\S+", commands(JOBS[name])):
        assert (ROOT / path.rstrip('"')).exists(), path
    for used in [JOBS[name], *JOBS[name].get("steps", ())]:
        if used.get("uses", "").startswith("./"):
            assert (ROOT / used["uses"]).exists()


@pytest.mark.parametrize("name", JOBS)
def test_every_job_ends_and_may_write_only_what_it_says(name):
    job = JOBS[name]
    assert "uses" in job or job["timeout-minutes"] <= 150
    assert read(name.split("/")[0])["permissions"] == {"contents": "read"}


@pytest.mark.parametrize("name", ["publish", "release"])
def test_only_a_commit_on_main_that_passed_is_published(name):
    job = JOBS[f"test/{name}"]
    assert set(job["needs"]) == CHECKS
    assert job["if"] == "github.ref == 'refs/heads/main'"
    assert read(name)[True] == "workflow_call", "nothing else starts it"


def test_the_browser_and_the_grading_run_once():
    everything = "\n".join(commands(job) for job in JOBS.values())
    assert everything.count("make pages") == everything.count("make grading") == 1
    assert not any("strategy" in JOBS[f"test/{name}"] for name in ("pages", "grading"))


def test_what_is_published_bears_the_address_of_its_repository():
    steps = JOBS["publish/publish"]["steps"]
    order = [step.get("run", step.get("uses")) for step in steps]
    stamp = order.index('make address URL="$REPOSITORY" BRANCH=notebooks')
    share = order.index("python tools/share.py notebooks")
    deploy = next(i for i, run in enumerate(order) if "deploy-pages" in run)
    assert stamp < order.index("make site") < share < deploy
    assert "github.repository" in steps[stamp]["env"]["REPOSITORY"]


def test_every_weekly_job_is_reported():
    report = JOBS["weekly/report"]
    assert set(report["needs"]) == set(read("weekly")["jobs"]) - {"report"}


def test_a_failed_job_opens_an_issue_or_comments_on_its_own(tmp_path):
    fake = tmp_path / "gh"
    fake.write_text(FAKE_GH)
    fake.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "GH_LOG": str(tmp_path / "log")}
    environment |= {"GH_REPO": "class/pets", "RUN_ID": "1"}
    subprocess.run(GITHUB / "report_failures.sh", check=True, env=environment)
    opened, commented, _ = (tmp_path / "log").read_text().split("\n\n")
    body = "This weekly job failed: web/1"
    opens = ["issue", "create", "--title", "Weekly: newest", "--body", body]
    assert opened.splitlines() == opens
    comments = ["issue", "comment", "7", "--body", "It failed again: web/2"]
    assert commented.splitlines() == comments


def test_the_hooks_use_the_ruff_that_is_installed():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    version = re.search(r"ruff-pre-commit\n    rev: v(\S+)", hooks)[1]
    assert f"\nruff=={version}\n" in (ROOT / "constraints.txt").read_text()

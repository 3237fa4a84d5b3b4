#!/usr/bin/env python3
"""Reads a plan (terraform show -json) and refuses what must never be applied.

Exit code 1 when a check failed or a repository would go. Under GitHub Actions
the output "changes" says whether there is anything to apply.
"""

import json
import os
import sys

KEPT = {"aws_ecr_repository"}


def failed_checks(plan):
    """A check that Terraform could not evaluate has not passed either."""
    for check in plan.get("checks", []):
        for instance in check.get("instances", []):
            if instance["status"] in ("fail", "error"):
                problems = [p["message"] for p in instance.get("problems", [])]
                yield f"{instance['address']['to_display']}: {' '.join(problems) or 'failed'}"


def lost(plan):
    for change in plan.get("resource_changes", []):
        if change["type"] in KEPT and "delete" in change["change"]["actions"]:
            yield f"{change['address']} would be destroyed"


def changes(plan):
    return sum(change["mode"] == "managed" and change["change"]["actions"] != ["no-op"]
               for change in plan.get("resource_changes", []))


def main():
    plan = json.load(sys.stdin)
    refusals = [*failed_checks(plan), *lost(plan)]
    for refusal in refusals:
        print(f"refused: {refusal}", file=sys.stderr)
    count = changes(plan)
    print(f"{count} resources change")
    if os.environ.get("GITHUB_OUTPUT"):
        with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8") as out:
            out.write(f"changes={'true' if count else 'false'}\n")
    return 1 if refusals else 0


if __name__ == "__main__":
    sys.exit(main())

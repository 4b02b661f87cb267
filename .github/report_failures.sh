#!/usr/bin/env bash
# Open an issue for each failed job of the run $RUN_ID, or comment on the one that is open.
set -euo pipefail

# A job that ran out of time counts as cancelled.
failed='.jobs[] | select(.conclusion | IN("failure", "cancelled", "timed_out"))'
gh api --paginate "repos/$GH_REPO/actions/runs/$RUN_ID/jobs" \
    --jq "$failed | [.name, .html_url] | @tsv" |
    while IFS=$'\t' read -r name address; do
        title="Weekly: $name"
        open=$(gh issue list --state open --limit 200 --json number,title \
            --jq "map(select(.title == \"$title\"))[0].number // empty")
        if [ -n "$open" ]; then
            gh issue comment "$open" --body "It failed again: $address"
        else
            gh issue create --title "$title" --body "This weekly job failed: $address"
        fi
    done

#!/usr/bin/env bash
# How good a live model is: reads labelled posts by both protocols and prints scores, fate of quotes, tokens and speed.
#   eval/live.sh BASE_URL MODEL TRUTH.jsonl [POSTS] [TAPE_FOLDER]
# A server with room for 2048 tokens a request is enough. Answers are recorded only where a folder is named: name one for
# our own text alone. CANDOR_LLM_KEY holds the key, where the server asks for one.
set -euo pipefail
base_url=$1 model=$2 truth=$(realpath "$3") posts=${4:-60} tapes=${5:-}
cd "$(dirname "$0")/.."
config=$(mktemp --suffix=.toml)
trap 'rm -f "$config"' EXIT
cat >"$config" <<TOML
reader = "llm"
[llm]
base_url = "$base_url"
model = "$model"
timeout_secs = 900
judge_support = false
TOML
candor=${CANDOR:-target/release/candor}
[ -x "$candor" ] || cargo build --release --locked
for protocol in point copy; do
    echo "== $protocol"
    record=()
    [ -z "$tapes" ] || record=(--record "$tapes/$(basename "$model")-$protocol.jsonl")
    "$candor" eval --config "$config" --protocol "$protocol" --truth "$truth" --limit "$posts" "${record[@]}"
done

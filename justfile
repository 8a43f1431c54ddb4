# Shortcuts; .ci/run is what must pass.

# What CI does.
ci:
    .ci/run

# Format, lint, test.
check:
    cargo fmt
    cargo clippy --all-targets -- -D warnings
    cargo test

# The demo, and its report in a browser.
demo:
    cargo run --release -- demo
    xdg-open candor-demo/workspace/report/report.html

import importlib.util


def pytest_terminal_summary(terminalreporter):
    if importlib.util.find_spec("torch") is None:
        terminalreporter.write_line(
            "SKIPPED: comparisons with torch, as tests/engine/test_torch.py (make test WITH=torch)",
            yellow=True,
        )

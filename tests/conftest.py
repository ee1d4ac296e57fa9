import importlib.util


def pytest_terminal_summary(terminalreporter):
    if importlib.util.find_spec("torch") is None:
        terminalreporter.write_line(
            "SKIPPED: what compares with PyTorch, as tests/test_torch.py (make test WITH=torch)",
            yellow=True,
        )

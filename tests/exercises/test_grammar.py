"""Exercise: rules of your own."""

import itertools

from model import stories


def test_grammar():
    """Write WEATHER in model/stories.py: parse(rules), of reports such as "Monday will be wet."

    A story is one sentence. Its days are those of the week and its words at least wet and dry;
    Monday comes most often, since it stands first.
    """
    assert hasattr(stories, "WEATHER"), "model/stories.py has no WEATHER yet"
    days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    reports = [text for text, _ in itertools.islice(stories.stories(1, stories.WEATHER), 2000)]
    assert all(report.endswith(".\n\n") for report in reports)
    counts = [sum(report.startswith(day) for report in reports) for day in days]
    assert sum(counts) == 2000 and min(counts) > 0 and max(counts) == counts[0]
    assert {"wet.", "dry."} <= {report.split()[-1] for report in reports}

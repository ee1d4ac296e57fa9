"""Commands in the text: found, run, compared, recorded."""

import transcripts

TEXT = """before
```console
$ echo one; echo 0.3 s
one
0.7 s
$ python3 -q
>>> x = 2
>>> x * 21
41
>>> for i in range(2):
...     print(i)
```
<!-- not run: it pushes -->
```console
$ git push
```
"""


def test_a_wrong_output_is_found_and_recorded(tmp_path):
    (problem,) = [p for p in transcripts.check(TEXT, tmp_path) if "x * 21" in p]
    assert problem == ">>> x * 21\n  said\n    41\n  got\n    42"
    recorded = transcripts.record(TEXT, tmp_path)
    assert ">>> x * 21\n42\n>>> for i in range(2):\n...     print(i)\n0\n1\n" in recorded
    assert "one\n0.7 s\n" in recorded  # a time that differs is no difference
    assert transcripts.check(recorded, tmp_path) == []


def test_a_failing_command_is_a_difference(tmp_path):
    (problem,) = transcripts.check("```console\n$ exit 3\n```\n", tmp_path)
    assert "(exit status 3: )" in problem


def test_an_exception_shows_its_last_line(tmp_path):
    recorded = transcripts.record("```console\n$ python3 -q\n>>> 1 / 0\n```\n", tmp_path)
    assert "Traceback (most recent call last):\nZeroDivisionError: division by zero" in recorded


def test_marked_transcripts_are_counted():
    assert transcripts.not_run(TEXT) == ["it pushes"]
    assert len(transcripts.blocks(TEXT)) == 1


def test_masks():
    line = "step-03 · loss 2.1 · 0.80 ms/step · 1,254 characters/s"
    assert transcripts.mask(line) == "step-03 · loss 2.1 · * ms/step · * characters/s"
    assert transcripts.mask("98 passed in 2.17s") == "98 passed in *s"
    assert transcripts.mask_expected(line + "\n").startswith("step-* · loss 2.1 · * ms/step")


def test_an_ellipsis_stands_for_any_lines():
    assert transcripts.matches(["a", "…", "d"], ["a", "b", "c", "d"])
    assert transcripts.matches(["…"], [])
    assert not transcripts.matches(["a", "…", "d"], ["a", "b"])
    assert not transcripts.matches([], ["a"])

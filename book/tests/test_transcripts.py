"""Commands in the text: found, run, compared, recorded."""

import pytest
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
    assert transcripts.mask("3.1 times as fast, 12,345 tokens/s") == "* times as fast, * tokens/s"
    assert transcripts.mask("41.5 MB in 0.25 ms, 3 sums") == "* MB in * ms, 3 sums"
    assert transcripts.mask_expected(line + "\n").startswith("step-* · loss 2.1 · * ms/step")


def test_an_ellipsis_stands_for_any_lines():
    assert transcripts.matches(["a", "…", "d"], ["a", "b", "c", "d"])
    assert transcripts.matches(["…"], [])
    assert not transcripts.matches(["a", "…", "d"], ["a", "b"])
    assert not transcripts.matches([], ["a"])


def test_numbers_of_any_width_are_masked_alike():
    lines = ["softmax     9.1 ms", "softmax   102.3 ms"]
    assert {transcripts.mask(line) for line in lines} == {"softmax * ms"}


REPORT = """step-* · 4,000 weights · loss 2.4267 · held-out 2.4251 · * ms/step · * characters/s
uniform 3.296 · letters 2.877
broimadi asir"""


@pytest.mark.parametrize(
    "old, new, arrays, agree",
    [
        ("", "", False, True),
        ("2.4251", "2.4252", False, False),
        ("2.4251", "2.4651", True, True),
        ("2.4251", "2.4653", True, False),
        ("2.4267", "2.3860", True, False),
        ("2.4267", "nan", True, False),
        ("4,000", "4,001", True, False),
        ("3.296", "3.297", True, False),
        ("asir", "asyr", False, False),
        ("broimadi asir", "an\nother text", True, True),
        ("broimadi asir", "", True, False),
    ],
)
def test_array_steps_agree_within_the_tolerance(old, new, arrays, agree):
    got = REPORT.replace(old, new) if old else REPORT
    assert transcripts.agree(REPORT.splitlines(), got.splitlines(), arrays) == agree
    kept = transcripts.settled(REPORT + "\n", got.replace("step-*", "step-15"), arrays)
    assert (kept == REPORT + "\n") == agree


@pytest.mark.parametrize("line", ["floor {}", "bits per byte: {}", "{} bits per byte", "loss = {}"])
def test_what_counts_as_a_loss(line):
    assert transcripts.close(line.format("1.234"), line.format("1.240"))
    assert not transcripts.close(line.format("1.234"), line.format("1.284"))


def test_a_number_that_is_no_loss_is_exact():
    assert not transcripts.close("mean 0.51, loss 2.31", "mean 0.52, loss 2.31")
    assert not transcripts.close("loss 2.31", "floor 2.31")


SAMPLE = """```console
$ cat one && : -m model.sample
anna
```
"""


def test_samples_of_array_steps_need_only_be_there(tmp_path):
    (tmp_path / "one").write_text("hannah\nravi\n")
    assert len(transcripts.check(SAMPLE, tmp_path)) == 1
    assert transcripts.check(SAMPLE, tmp_path, arrays=True) == []
    assert transcripts.record(SAMPLE, tmp_path, arrays=True) == SAMPLE
    bare = SAMPLE.replace("anna\n", "")
    assert "\nhannah\nravi\n" in transcripts.record(bare, tmp_path, arrays=True)


def test_samples_that_fail_are_a_difference(tmp_path):
    (problem,) = transcripts.check(SAMPLE, tmp_path, arrays=True)
    assert "(exit status 1" in problem


def test_losses_in_transcripts_agree_within_the_tolerance(tmp_path):
    text = "```console\n$ echo loss 2.31, 7 weights\nloss 2.32, 7 weights\n```\n"
    assert len(transcripts.check(text, tmp_path)) == 1
    assert transcripts.check(text, tmp_path, arrays=True) == []
    assert transcripts.check(
        text.replace("7 weights\nloss", "8 weights\nloss"), tmp_path, arrays=True
    )

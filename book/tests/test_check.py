"""The parts of the proof that stand alone."""

from pathlib import Path
from types import SimpleNamespace

import check
import common
import parts
import pytest
import rules
from common import Problem, dependencies, is_array_step


@pytest.mark.parametrize(
    "a, b, apart",
    [("+=", "=", True), ("10", "11", True), ("ab", "ab", False), ("ab", "ba", False)],
)
def test_one_character(a, b, apart):
    assert rules.one_character_apart(a, b) == apart


def test_numbers():
    assert check.numbers_from([], 3) == [0, 1, 2]
    assert check.numbers_from(["01..02"], 3) == [1, 2]
    for wrong in (["x"], ["03"], ["01", "02"]):
        with pytest.raises(Problem, match="expected steps such as 03"):
            check.numbers_from(wrong, 3)


def test_imports_are_found_wherever_they_stand(tmp_path):
    path = tmp_path / "x.py"
    path.write_text("import os.path\nfrom model.data import x\ndef f():\n    import numpy\n")
    assert rules.imported(path) == ["model", "numpy", "os"]


def test_a_bug_is_read_from_its_sentence():
    text = "In `a/b.py`, write `x + y` for `x - y`: `tests/test_x.py::test_y` fails."
    assert parts.BUG.findall(text) == [("a/b.py", "x + y", "x - y", "tests/test_x.py::test_y")]


@pytest.mark.parametrize(
    "path, module, act1, arrays",
    [
        ("engine/ops.py", "math", True, True),
        ("engine/ops.py", "numpy", False, True),
        ("engine/ops.py", "ctypes", False, True),
        ("engine/ops.py", "time", False, False),
        ("engine/ops.py", "model", False, False),
        ("model/gpt.py", "numpy", False, True),
        ("model/gpt.py", "os", False, False),
        ("model/gpt.py", "engine", True, True),
        ("model/train.py", "os", True, True),
        ("model/train.py", "torch", False, False),
        ("model/train.py", "kernels.speed", True, True),
        ("model/train.py", "kernels.roofline", False, False),
        ("model/services/files.py", "os", True, True),
        ("model/services/files.py", "numpy", False, True),
        ("model/instruments/torch_gpt.py", "torch", True, True),
        ("model/instruments/bench.py", "model.instruments", True, True),
        ("model/services/files.py", "model.instruments", False, False),
        ("kernels/matmul.py", "shutil", True, True),
        ("kernels/matmul.py", "numpy", False, True),
        ("kernels/matmul.py", "engine", False, False),
        ("kernels/matmul.py", "kernels.roofline", False, False),
        ("kernels/roofline.py", "model.gpt", True, True),
        ("engine/gpu.py", "kernels.matmul", True, True),
        ("engine/gpu.py", "torch", False, False),
    ],
)
def test_what_each_folder_may_import(tmp_path, path, module, act1, arrays):
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(f"import {module}\n")
    refused = [f"{path} imports {module}"]
    assert rules.check_imports(tmp_path, set()) == ([] if act1 else refused)
    assert rules.check_imports(tmp_path, {"numpy"}) == ([] if arrays else refused)


def test_kernels_import_what_runs_them_inside_functions(tmp_path):
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels/device.py").write_text("def use():\n    import torch, triton.language\n")
    assert rules.check_imports(tmp_path, {"numpy"}) == []
    (tmp_path / "kernels/device.py").write_text("import triton.language\n")
    refused = ["kernels/device.py imports triton"]
    assert rules.check_imports(tmp_path, {"numpy"}) == refused


def test_an_array_step_declares_numpy(project):
    assert not is_array_step("steps", project.folder)
    toml = project.read("pyproject.toml")
    lines = toml.replace("dependencies = []", 'dependencies = ["numpy>=2.0", "Scipy-x"]')
    project.write("pyproject.toml", lines)
    project.commit("arrays")
    assert dependencies("HEAD", project.folder) == {"numpy", "scipy-x"}
    assert is_array_step("HEAD", project.folder)
    project.write("pyproject.toml", toml.replace("test = []", 'test = ["numpy"]'))
    project.commit("only its tests have arrays")
    assert not is_array_step("HEAD", project.folder)


@pytest.mark.parametrize(
    "kind, groups, torch",
    [("VENV", "", False), ("VENV", 'torch = ["a"]', True), ("LINT_VENV", 'torch = ["a"]', False)],
)
def test_a_step_with_a_group_torch_is_proven_with_torch(project, monkeypatch, kind, groups, torch):
    ran = []

    def fake(command, folder):
        ran.append(command)
        if command.startswith("make"):
            made = Path(command.split("VENV=")[1].split()[0])
            (made / "lib/python3/site-packages").mkdir(parents=True)
        return 0, "123\n", ""

    toml = project.read("pyproject.toml").replace('"x"', '"z"')
    project.write("pyproject.toml", toml + groups)
    project.commit("groups")
    monkeypatch.setattr(common, "run", fake)
    folder = common.environment("HEAD", kind, project.folder)
    assert ran[1].endswith("/made-for-123") and len(ran) == 2 + torch
    shared = [Path(path.read_text().strip()) for path in folder.rglob("torch-shared.pth")]
    assert [(path / "requirements.txt").read_text() for path in shared] == ["a\n"] * torch
    project.write("pyproject.toml", project.read("pyproject.toml").replace('"z"', '"y"'))
    project.commit("another project, of the same torch")
    if torch:
        common.environment("HEAD", kind, project.folder)
        assert [command for command in ran if "pip" in command] == ran[2:3]


def test_the_readme_of_main_holds_the_parts_of_the_tags_readme():
    first = "# x: y\n\nIntro.\n\n## A\n\na\n\n## B\n\nb\n"
    main = "# x: y\n\nMore.\n\n## B\n\nb\n\n## C\n\n## A\n\na\n"
    assert check.missing_parts(first, main) == []
    assert check.missing_parts(first, main.replace("\na\n", "\nc\n")) == ["## A"]
    assert check.missing_parts(first, "# z\n" + main) == ["# x: y"]


class Text:
    """A tree of one file."""

    files = ("model/a.py",)

    def __init__(self, text):
        self.text = lambda path: text


def test_quoted_python_stands_in_the_step_or_in_the_one_before():
    played = SimpleNamespace(
        tree=lambda step: Text("def f(x):\n    return x\n"),
        read_tree=lambda name: Text("    return 2 * x\n"),
    )
    step = SimpleNamespace(commit="abc")
    section = "Now\n\n```python\ndef f(x):\n    return x\n{}```\n\n```py\nanything\n```\n"
    for line, wrong in [("", 0), ("    return 2 * x\n", 0), ("    …\n", 0), ("    return 3\n", 1)]:
        problems = check.Check.check_quotes(played, section.format(line), step)
        assert len(problems) == wrong


def test_a_block_of_code_that_nothing_ends_is_found():
    book = "text\n```console\n$ ls\n```\n```python\nx = 1\n``` In `x` is 1.\n```\n"
    assert check.open_fences(book) == ["STEPS.md, line 7, does not end its block: ``` In `x` is 1."]
    assert check.open_fences(book.replace(" In `x` is 1.", "")) == []

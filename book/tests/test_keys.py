"""What a proof depends on, and what it does not."""

import keys
import pytest
from small_project import Repository

TOML = '[project]\ndependencies = ["numpy>=2"]\n[tool.pytest]\na = 1\n[tool.ruff]\nb = 1\n'
FILES = {
    "Makefile": "test:\n",
    "README.md": "readme\n",
    "pyproject.toml": TOML,
    "engine/ops.py": '"""Sums."""\nONE = 1\n',
    "engine/walk.py": "from engine.ops import ONE\n",
    "engine/other.py": "import numpy\n",
    "model/__init__.py": 'STEP = "step-03"\n',
    "model/train.py": "import numpy\nfrom engine import walk\nfrom model import STEP\n",
    "model/instruments/look.py": "WORD = 1\n",
    "model/data/names.txt": "anna\n",
    "tests/conftest.py": "A = 1\n",
    "tests/helper.py": "B = 1\n",
    "tests/exercises/test_walk.py": "",
    "tests/model/test_deep.py": "from model.services import files\n",
    "model/services/files.py": "FILES = 1\n",
    "tests/list.txt": "1\n",
    "tests/test_walk.py": "import pytest\nfrom engine import walk\nfrom tests import helper\n",
    "tests/test_train.py": 'import subprocess\nsubprocess.run(["python", "-m", "model.train"])\n',
    "tests/test_program.py": 'import subprocess\nsubprocess.run(["-m", f"model.{name}"])\n',
    "tests/test_make.py": 'import subprocess\nsubprocess.run(["make", "model.train"])\n',
    "tests/test_hidden.py": "import subprocess\nsubprocess.run(command)\n",
    "tests/test_file.py": 'import pathlib\npathlib.Path("tests/list.txt").read_text()\n',
    "tests/test_source.py": "import inspect\nfrom engine import ops\n",
    "tests/test_step.py": 'from model import STEP\nassert STEP != "step-98"\n',
    "tests/program.py": 'TRAIN = ["-m", "model.train"]\n',
    "tests/test_started.py": "import subprocess\nfrom tests.program import TRAIN\nrun(TRAIN)\n",
    "tests/test_any.py": 'import_module(f"model.{program}")\n',
    "tests/test_named.py": 'import subprocess\nparametrize("make", ["-m", "model.train"])\n',
}
LATE = 'def put(name):\n    from engine import gpu\n    import_module("kernels.device")\n'
DEVICES = {
    "pyproject.toml": TOML + '[dependency-groups]\ntriton = ["triton>=3.2"]\n',
    "engine/__init__.py": "",
    "engine/backend.py": LATE,
    "engine/gpu.py": "from kernels import add\n",
    "engine/ops.py": FILES["engine/ops.py"] + "from engine import backend\n",
    "kernels/__init__.py": "",
    "kernels/add.py": "def add():\n    import triton\n",
    "kernels/device.py": "NAME = 1\n",
    "kernels/best.py": "BEST = 1\n",
    "model/train.py": FILES["model/train.py"] + "from kernels import best\n",
    "tests/kernels/conftest.py": "C = 1\n",
    "tests/kernels/test_add.py": "from kernels import add\n",
    "tests/test_device.py": "def test_it():\n    from engine import gpu\n",
}


def repository(folder, files):
    project = Repository(folder)
    project.git("init", "-q")
    for path, text in files.items():
        project.write(path, text)
    project.commit("all")
    return project.folder


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return repository(tmp_path_factory.mktemp("keys"), FILES)


@pytest.fixture(scope="module")
def devices(tmp_path_factory):
    return repository(tmp_path_factory.mktemp("devices"), FILES | DEVICES)


def key(root, test, path=None, text=None):
    return keys.of_test_file(keys.Tree("HEAD", root, {path: text} if path else {}), test)


@pytest.mark.parametrize(
    "test, path, old, new, changes",
    [
        ("walk", "tests/test_walk.py", "import pytest", "import pytest  # x", True),
        ("walk", "tests/conftest.py", "1", "2", True),
        ("walk", "tests/helper.py", "1", "2", True),
        ("walk", "engine/walk.py", "ONE", "ONE as TWO", True),
        ("walk", "engine/ops.py", "1", "2", True),
        ("walk", "engine/ops.py", "Sums.", "All sums.", False),
        ("walk", "engine/ops.py", "1", "1  # one", False),
        ("walk", "engine/other.py", "numpy", "numpy.linalg", False),
        ("walk", "model/data/names.txt", "anna", "otto", True),
        ("walk", "pyproject.toml", "a = 1", "a = 2", True),
        ("walk", "pyproject.toml", "b = 1", "b = 2", False),
        ("walk", "pyproject.toml", "numpy>=2", "numpy>=1", False),
        ("walk", "Makefile", "test", "tests", False),
        ("walk", "model/train.py", "numpy", "math", False),
        ("train", "model/train.py", "numpy", "math", True),
        ("train", "engine/ops.py", "1", "2", True),
        ("train", "engine/other.py", "numpy", "numpy.linalg", False),
        ("train", "model/instruments/look.py", "1", "2", False),
        ("train", "pyproject.toml", "numpy>=2", "numpy>=1", True),
        ("train", "model/__init__.py", "03", "04", False),
        ("program", "model/instruments/look.py", "1", "2", True),
        ("program", "engine/other.py", "numpy", "numpy.linalg", False),
        ("make", "Makefile", "test", "tests", True),
        ("hidden", "engine/other.py", "numpy", "numpy.linalg", True),
        ("file", "tests/list.txt", "1", "2", True),
        ("file", "engine/ops.py", "1", "2", False),
        ("source", "engine/ops.py", "1", "1  # one", True),
        ("step", "model/__init__.py", "03", "04", False),
        ("step", "model/__init__.py", "03", "98", True),
        ("started", "model/train.py", "numpy", "math", True),
        ("started", "engine/other.py", "numpy", "numpy.linalg", False),
        ("any", "model/instruments/look.py", "1", "2", True),
        ("any", "engine/other.py", "numpy", "numpy.linalg", False),
        ("named", "engine/other.py", "numpy", "numpy.linalg", False),
    ],
)
def test_what_a_test_file_sees(root, test, path, old, new, changes):
    test, text = f"tests/test_{test}.py", FILES[path].replace(old, new)
    assert text != FILES[path]
    assert (key(root, test) != key(root, test, path, text)) == changes


@pytest.mark.parametrize(
    "path, old, new, changes",
    [
        ("engine/ops.py", "1", "2", True),
        ("engine/ops.py", "Sums.", "All sums.", False),
        ("model/instruments/look.py", "1", "2", False),
        ("model/data/names.txt", "anna", "otto", True),
        ("model/__init__.py", "03", "04", False),
        ("tests/test_walk.py", "pytest", "math", False),
        ("Makefile", "test", "tests", False),
    ],
)
def test_what_a_training_sees(root, path, old, new, changes):
    plain = keys.of_training(keys.Tree("HEAD", root))
    changed = keys.of_training(keys.Tree("HEAD", root, {path: FILES[path].replace(old, new)}))
    assert (plain != changed) == changes


def test_test_files_are_found_in_their_folders(root):
    files = keys.Tree("HEAD", root).test_files()
    assert "tests/model/test_deep.py" in files and "tests/test_walk.py" in files
    assert "tests/exercises/test_walk.py" not in files
    path = "model/services/files.py"
    one = keys.of_test_file(keys.Tree("HEAD", root), files[0])
    other = keys.of_test_file(keys.Tree("HEAD", root, {path: "FILES = 2\n"}), files[0])
    assert files[0] == "tests/model/test_deep.py" and one != other


def test_a_docstring_that_a_program_prints_counts():
    assert keys.meaning('"""a"""\n') == keys.meaning('"""b"""\n')
    assert keys.meaning('"""a"""\nprint(__doc__)') != keys.meaning('"""b"""\nprint(__doc__)')


def test_what_is_imported_for_a_device_is_on_demand(root, devices):
    assert keys.Tree("HEAD", root).on_demand == keys.Tree("HEAD", root).replaced == set()
    tree = keys.Tree("HEAD", devices)
    assert tree.on_demand == {"engine/gpu.py", "kernels/add.py", "kernels/device.py"}
    assert tree.replaced == {"kernels/best.py"}
    assert {"tests/test_walk.py", "tests/test_train.py"} <= tree.short_keys.keys()
    needing = {"tests/kernels/test_add.py", "tests/test_device.py"}
    everything = {"tests/test_hidden.py", "tests/test_make.py"}
    assert not (needing | everything) & tree.short_keys.keys()
    assert "tests/test_file.py" not in tree.short_keys  # it sees nothing of engine/
    assert tree.interpreted() == ["tests/kernels/test_add.py"]


@pytest.mark.parametrize(
    "path, changes, short_changes",
    [
        ("kernels/add.py", True, False),
        ("engine/gpu.py", True, False),
        ("kernels/device.py", True, False),
        ("kernels/best.py", False, False),
        ("engine/backend.py", True, True),
        ("engine/other.py", False, False),
    ],
)
def test_a_short_key_does_without_kernels(devices, path, changes, short_changes):
    text = "import math\n" + (FILES | DEVICES)[path]
    before, after = (keys.Tree("HEAD", devices, new) for new in ({}, {path: text}))
    test = "tests/test_walk.py"
    assert (before.test_keys[test] != after.test_keys[test]) == changes
    assert (before.short_keys[test] != after.short_keys[test]) == short_changes


def test_a_test_of_kernels_depends_on_the_version_of_triton(devices):
    one, other = (keys.Tree("HEAD", devices, (), {"triton": v}).test_keys for v in ("3.6", "3.9"))
    changed = {path for path in one if one[path] != other[path]}
    assert "tests/kernels/test_add.py" in changed and "tests/test_file.py" not in changed
    conftest = {"tests/kernels/conftest.py": "C = 2\n"}
    after = keys.Tree("HEAD", devices, conftest).test_keys
    assert (
        after["tests/kernels/test_add.py"]
        != keys.Tree("HEAD", devices).test_keys["tests/kernels/test_add.py"]
    )
    assert after["tests/test_walk.py"] == keys.Tree("HEAD", devices).test_keys["tests/test_walk.py"]

"""The environments that make sets up, and the folders that are none of make's business."""

import os
import signal
import subprocess
import sys
import time

import pytest
from small_project import TOML

import environment

STAMP = "env/made-for-1"


def start(reader, *words):
    command = [sys.executable, "environment.py", *words]
    return subprocess.Popen(command, cwd=reader.folder, stderr=subprocess.PIPE, text=True)


def make_environment(reader, *words):
    process = start(reader, *words)
    return process.wait(), process.stderr.read()


def needs(reader, *lines):
    listed = ", ".join(f'"{line}"' for line in lines)
    reader.write("pyproject.toml", TOML.replace("test = []", f"test = [{listed}]"))


def stand_in(reader, folder, pip="exit 1"):
    """A folder whose python is the one that runs this, but for pip."""
    reader.write(
        f"{folder}/bin/python", f'#!/bin/sh\n[ "$2" = pip ] && {pip}\nexec {sys.executable} "$@"\n'
    )
    (reader.folder / folder / "bin/python").chmod(0o755)


def files(reader, folder):
    found = sorted((reader.folder / folder).rglob("*"))
    return [(path, path.read_text()) for path in found if path.is_file()]


@pytest.mark.parametrize("name", ["diary.txt", "made-for-mum", "made-for-1", "unfinished"])
@pytest.mark.parametrize("target", ["test", "lint"])
def test_a_folder_that_make_did_not_make_is_refused_and_kept(reader, target, name):
    reader.write(f"precious/{name}", "years of work\n")
    reader.write("pyproject.toml", TOML.replace(f"{target} = []", f'{target} = ["pytest"]'))
    place = {"test": "VENV=precious", "lint": "LINT_VENV=precious"}[target]
    for command in (["env", place, "make", target], ["make", place, target]):
        done = reader.run(*command, check=False)
        assert done.returncode == 2
        line = done.stderr.splitlines()[0]
        assert line.startswith("environment.py: make did not make precious and leaves it as it is")
        assert (reader.folder / "precious" / name).read_text() == "years of work\n"


def test_a_file_in_the_place_of_the_folder_is_kept(reader):
    done = reader.run("make", "VENV=README.md", "test", check=False)
    assert done.returncode == 2 and "make did not make README.md" in done.stderr
    assert reader.read("README.md").startswith("readme")


def test_a_readers_own_environment_is_used_as_it_is(reader):
    needs(reader, "pytest>=8")
    stand_in(reader, ".venv")
    before = files(reader, ".venv")
    reader.write("tests/test_it.py", "def test_it(): pass\n")
    assert "1 passed" in reader.run("make", "VENV=.venv", "test", "ARGS=-p no:cacheprovider").stdout
    assert [pair for pair in files(reader, ".venv") if pair not in before] == []


def test_what_a_readers_own_environment_lacks_is_named(reader):
    needs(reader, "pytest>=8", "pytest>=99,<100", "no-such-thing>=1")
    stand_in(reader, ".venv")
    status, said = make_environment(reader, ".venv/made-for-1", "project", "test")
    assert (status, said.count("\n")) == (2, 1)
    assert "it lacks pytest>=99,<100, no-such-thing>=1; expected that" in said
    assert not (reader.folder / ".venv/made-for-1").exists()


def test_a_link_is_not_followed_with_a_pip_or_a_removal(reader):
    needs(reader, "no-such-thing")
    stand_in(reader, "elsewhere")
    for name in ("made-for-1", "pyvenv.cfg", environment.UNFINISHED):
        reader.write(f"elsewhere/{name}", "")
    (reader.folder / ".venv").symlink_to("elsewhere")
    status, said = make_environment(reader, ".venv/made-for-2", "test")
    assert status == 2 and "it lacks no-such-thing" in said
    assert (reader.folder / "elsewhere" / environment.UNFINISHED).exists()


@pytest.mark.parametrize(
    "line, version, good",
    [
        ("numpy>=2.0", "2.0.1", True),
        ("numpy>=2.0", "1.26.4", False),
        ("numpy>=2.0,<3", "3.0.0", False),
        ("numpy>=2.0,<3", "2.10", True),
        ("torch==2.13.0", "2.13.0+cpu", True),
        ("torch==2.13.0", "2.13.1", False),
        ("Some_Thing", "0", True),
        ("other", "1", False),
    ],
)
def test_versions_are_compared_as_numbers(line, version, good):
    known = {"numpy": version, "torch": version, "some-thing": version}
    assert bool(environment.fulfilled(line, known)) == good


def test_a_line_may_be_for_one_system_alone(reader):
    lines = ["triton>=3.2; sys_platform == 'linux'", "torch==2", "no-such; sys_platform == 'moon'"]
    needs(reader, *lines)
    assert [line for line in lines if environment.applies(line)] == (
        lines[:2] if sys.platform == "linux" else lines[1:2]
    )
    stand_in(reader, ".venv")
    _, said = make_environment(reader, ".venv/made-for-1", "project", "test")
    assert "torch==2" in said and "no-such" not in said
    assert environment.fulfilled(lines[0], {"triton": "3.9.0"})
    assert not environment.fulfilled(lines[0], {"triton": "3.1.0"})


def test_two_at_once_make_one_environment(reader):
    both = [start(reader, STAMP, "project", "test") for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    said = "".join(process.stderr.read() for process in both)
    assert said.count("setting up env") == 1
    assert (reader.folder / STAMP).exists()
    assert not (reader.folder / "env" / environment.UNFINISHED).exists()
    assert subprocess.run([reader.folder / "env/bin/python", "-c", ""]).returncode == 0


def test_one_that_was_broken_off_is_made_anew(reader):
    first = start(reader, STAMP, "project", "test")
    while not (reader.folder / "env/bin").exists():
        time.sleep(0.01)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert not (reader.folder / STAMP).exists()
    reader.write("env/half", "")
    assert make_environment(reader, STAMP, "project", "test") == (0, "setting up env ...\n")
    assert (reader.folder / STAMP).exists() and not (reader.folder / "env/half").exists()


def stamped(reader, pip):
    """An environment that make has made for step 1; with torch."""
    stand_in(reader, "env", pip)
    for name in ("pyvenv.cfg", "made-for-1", "made-for-1-with-torch"):
        reader.write(f"env/{name}", "")


def test_what_another_step_needs_is_added(reader):
    stamped(reader, 'echo "$@" > asked && touch env/made-for-3 && exit 0')
    needs(reader, "pytest>=8", "no-such-thing")
    status, said = make_environment(reader, "env/made-for-2", "project", "test")
    assert (status, said) == (0, "adding to env: no-such-thing ...\n")
    assert reader.read("asked") == "-m pip install -q pytest>=8 no-such-thing\n"
    assert {path.name for path in (reader.folder / "env").glob("made-*")} >= {"made-for-2"}
    assert not (reader.folder / "env/made-for-1").exists()


def test_torch_beside_the_rest_keeps_their_stamp(reader):
    stamped(reader, "exit 0")
    needs(reader, "no-such-thing")
    (reader.folder / "env/made-for-1-with-torch").unlink()
    assert make_environment(reader, "env/made-for-1-with-torch", "test")[0] == 0
    names = sorted(path.name for path in (reader.folder / "env").glob("made-*"))
    assert names == ["made-for-1", "made-for-1-with-torch"]


def test_without_a_network_the_environment_stays_good_for_the_step_before(reader):
    stamped(reader, "exit 1")
    needs(reader, "no-such-thing")
    status, said = make_environment(reader, "env/made-for-2", "project", "test")
    assert (status, said.splitlines()[-1]) == (
        2,
        "environment.py: the packages cannot be made: see above",
    )
    names = sorted(path.name for path in (reader.folder / "env").glob("made-*"))
    assert names == ["made-for-1", "made-for-1-with-torch"]


def test_nothing_is_asked_of_the_network_for_what_is_there(reader):
    stamped(reader, "exit 1")
    needs(reader, "pytest>=8")
    assert make_environment(reader, "env/made-for-2", "project", "test") == (0, "")


def test_with_triton_kernels_are_tested_by_its_interpreter_too(reader):
    plain, both = (
        reader.run("make", "-n", "test", f"WITH={word}").stdout.splitlines()
        for word in ("torch", "triton")
    )
    interpreted = [line for line in both if "KERNELS_DEVICE=interpret" in line]
    assert len(interpreted) == 1 and "-m pytest tests/kernels" in interpreted[0]
    assert not any("KERNELS_DEVICE" in line for line in plain)
    assert any("-with-triton' triton" in line for line in both)


@pytest.mark.parametrize("target", ["help", "tags", "check"])
def test_make_in_a_terminal_that_knows_ascii_alone(reader, target):
    ascii_alone = ["PYTHONUTF8=0", "LC_ALL=POSIX", "PYTHONCOERCECLOCALE=0"]
    done = reader.run("env", *ascii_alone, "make", target, check=False)
    assert "Error" not in done.stderr.replace("Error 2", "") and "Traceback" not in done.stderr
    assert done.returncode == (2 if target == "check" else 0)
    assert reader.read("Makefile").isascii()


def test_an_older_python_is_told(reader):
    reader.write(
        "old",
        "#!/bin/sh\nexec " + sys.executable + ' -c "import sys; '
        "sys.version_info = (3, 9, 0); sys.argv = ['-c']; exec('''$2''')\"\n",
    )
    os.chmod(reader.folder / "old", 0o755)
    for target in ("train", "lint"):
        done = reader.run("make", "PYTHON=./old", target, check=False)
        assert done.returncode == 2
        assert "got Python 3.9; expected 3.11 or newer" in done.stderr

"""Where .ci/browser finds no Chromium: CI fails, another machine says so and goes on."""

import shutil
import subprocess

import pytest
from common import ROOT

PROGRAMS = ("bash", "sh", "dirname", "timeout", "ln")
FAILS_TWICE = """
here=${0%/*}
for time in first second; do
  [ -e "$here/$time" ] || { : > "$here/$time"; exit 1; }
done
ln -sf sh "$here/chromium"
"""


@pytest.fixture
def machine(tmp_path):
    """machine(apt, **variables): what .ci/browser does where apt-get does that, and its calls."""
    if lacking := [name for name in PROGRAMS if not shutil.which(name)]:
        pytest.skip(f"no {', '.join(lacking)} here")
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in PROGRAMS:
        (programs / name).symlink_to(shutil.which(name))

    def stand_in(name, does):
        (programs / name).write_text(f'#!/bin/sh\necho {name} "$@" >> {tmp_path}/calls\n{does}\n')
        (programs / name).chmod(0o755)

    def run(apt, user=0, **variables):
        stand_in("id", f"echo {user}")
        stand_in("sudo", 'shift; "$@"')
        stand_in("apt-get", apt)
        stand_in("make", "exit 0")
        stand_in("sleep", "exit 0")
        done = subprocess.run(
            [programs / "bash", ROOT / ".ci/browser"],
            env={"PATH": str(programs), **variables},
            capture_output=True,
            text=True,
        )
        calls = (tmp_path / "calls").read_text().splitlines()
        return done, [call for call in calls if not call.startswith("id ")]

    return run


def test_without_a_chromium_ci_fails(machine):
    done, calls = machine("exit 1", CI="true")
    assert done.returncode == 1 and "got no Chromium" in done.stderr
    assert calls.count("apt-get update -qq") == 3
    assert not any(call.startswith("make") for call in calls)


def test_without_a_chromium_another_machine_goes_on(machine):
    done, calls = machine("exit 1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "SKIPPED: the web book in a browser (no Chromium)\n"
    assert not any(call.startswith("make") for call in calls)


def test_a_network_may_fail_twice(machine):
    done, calls = machine(FAILS_TWICE, CI="true")
    assert done.returncode == 0, done.stderr
    assert calls.count("apt-get update -qq") == 3
    assert [call for call in calls if call.startswith("make")] == ["make book", "make book-test"]


def test_who_is_not_root_asks_sudo(machine):
    done, calls = machine('ln -sf sh "${0%/*}/google-chrome"', user=1000, CI="true")
    assert done.returncode == 0, done.stderr
    update = "apt-get update -qq"
    assert calls[:3] == ["sleep 0", f"sudo -n {update}", update]
    assert [call for call in calls if call.startswith("make")] == ["make book", "make book-test"]

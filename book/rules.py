"""Rules that the text of the code must keep: who imports what, how small a bug is."""

import ast
import sys

import keys

# What engine/ and model/gpt.py may import besides the project, and engine/ of array steps too.
ARITHMETIC = {"math", "random"}
SYSTEM = {"collections", "contextlib", "ctypes", "functools", "inspect", "os"}
SYSTEM |= {"mmap", "multiprocessing", "signal", "weakref"}  # two processes that share memory
INSTRUMENTS = "model/instruments/"  # what nothing else may need
GPU = {"torch", "triton"}  # in kernels/ only, and there inside functions: most have no GPU
# Instruments of kernels/: they know the model's sizes, and nothing else needs them.
MEASURING = {f"kernels/{name}.py" for name in ("bench", "compiled", "order", "roofline", "tune")}
FIRST_KERNELS = "kernels/elementwise.py"
REFERENCE = {"torch_gpt.py"}  # the opponent in the race: not of the project, and not needed


def check_imports(here, declared):
    """model -> engine -> kernels; no instrument; else only what pyproject.toml declares."""
    below = {
        "model": {"model", "engine", "kernels"},
        "engine": {"engine", "kernels"},
    }
    problems = []
    for path in sorted(here.glob("[emk]*/**/*.py")):
        shown = path.relative_to(here).as_posix()
        folder = shown.split("/")[0]
        allowed = below.get(folder, {"kernels"}) | declared
        if folder == "kernels" or (folder == "model" and path.name != "gpt.py"):
            allowed |= set(sys.stdlib_module_names)
        elif folder != "model" and "numpy" in declared:
            allowed |= ARITHMETIC | SYSTEM
        else:
            allowed |= ARITHMETIC
        allowed |= {"dataclasses"} if "numpy" in declared else set()  # a configuration
        allowed |= {"torch"} if path.name in REFERENCE else set()
        allowed |= GPU if folder == "kernels" else set()
        foreign = [name for name in imported(path) if name not in allowed]
        if shown in MEASURING:
            foreign = [name for name in foreign if name not in ("model", "engine")]
        elif folder == "kernels":
            at_once = {name.split(".")[0] for name in keys.at_once(path.read_text())}
            # The first kernels use Triton's own words; then kernels/language.py stands for them.
            first = shown == FIRST_KERNELS and not (here / "kernels/language.py").exists()
            foreign += [] if first else sorted(GPU & at_once)
        if not shown.startswith(INSTRUMENTS) and "model.instruments" in path.read_text():
            foreign.append("model.instruments")
        if shown not in MEASURING:
            named = keys.references(path.read_text()).modules
            modules = {place.removesuffix(".py").replace("/", ".") for place in MEASURING}
            foreign += sorted(modules & named)
        problems += [f"{shown} imports {name}" for name in foreign]
    return problems


def imported(path):
    """The top-level names of the modules that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0])
    return sorted(names)


def one_character_apart(a, b):
    if len(a) == len(b):
        return sum(x != y for x, y in zip(a, b)) == 1
    long, short = sorted((a, b), key=len, reverse=True)
    return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))

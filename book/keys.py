"""What a test file or a training can see, read from the code: from it come the keys of proofs.

A test file sees the modules that it imports, and theirs; the modules whose names stand in its
strings, as in `[python, "-m", "model.train"]`; the files whose names stand there; and the data of
the model. Modules count by their meaning, without comments and docstrings. A test that looks at
source text, or starts what can see everything, counts all of it.

A test file that does not itself import kernels/ or engine/gpu.py has a second, short key, without
them. That key holds where the test passes without them. What engine/ and model/ import of them
inside functions only is on demand, when a device is asked for: to import it fails then. What they
import at once is replaced by stand-ins (book/suite.py).
"""

import ast
import functools
import re
import subprocess
import tomllib
from dataclasses import dataclass

from common import NUMBER, ROOT, digest, git

PACKAGES = "engine|model|kernels|tests"
MODULE = re.compile(rf"\b(?:{PACKAGES})(?:\.\w+)+")
IMPORT = re.compile(rf"\bfrom ((?:{PACKAGES})[\w.]*) import ([\w, ]+)")
FILE = re.compile(r"[\w-]+\.\w+")
TEST_FILE = re.compile(r"tests/(?!exercises/)(?:\w+/)*test_\w+\.py")
DATA = "model/data/"
DYNAMIC = {"import_module", "__import__", "exec", "run_module", "run_path"}
NAMING = {"import_module", "__import__", "importorskip", "find_spec"}  # a module, by its argument
DEVICES = re.compile(r"kernels\b|engine[./]gpu\b")  # what computes elsewhere than numpy
PROGRAMS = {"make", "git", "bash", "sh", "steps.py"}  # may read any file
TOOLS = {"nvdisasm", "cuobjdump"}  # read what they are given only
BLOBS = {}
SOURCE = re.compile(r"\binspect\b|__doc__|\bgetsource|\blinecache\b|\btokenize\b")


class Tree:
    """The files of a commit or a tree: {path: blob}; `changes`: {path: another text}.

    packages: {name: version} of those on which only the files that import them depend.
    """

    def __init__(self, name, root=ROOT, changes=(), packages=()):
        self.name, self.root, self.changes = name, root, dict(changes)
        self.packages = dict(packages)
        lines = git("ls-tree", "-r", "-z", name, root=root).split("\0")[:-1]
        self.files = {line.split("\t")[1]: line.split()[2] for line in lines}
        self.named = {}
        fetch(sorted(set(self.files.values()) - BLOBS.keys()), root)
        for path in self.files:
            self.named.setdefault(path.rsplit("/")[-1], []).append(path)

    def text(self, path):
        return self.changes[path] if path in self.changes else BLOBS[self.files[path]]

    def identity(self, path):
        return digest(self.changes[path]) if path in self.changes else self.files[path]

    def meaning(self, path):
        """Names what Python makes of a file; the number of the step counts nowhere."""
        if not path.endswith(".py"):
            return self.identity(path)
        text = self.text(path)
        return meaning(re.sub(r"step-\d\d", "step-*", text) if path == NUMBER else text)

    def test_files(self):
        return sorted(p for p in self.files if TEST_FILE.fullmatch(p))

    @functools.cached_property
    def test_keys(self):
        """{test file: the key of what its result depends on}"""
        return {path: of_test_file(self, path) for path in self.test_files()}

    @functools.cached_property
    def on_demand(self):
        """The files of kernels/, and engine/gpu.py, that a program runs without on the CPU."""
        return self.devices() - self.replaced

    @functools.cached_property
    def replaced(self):
        """Those that a program imports at once, on the CPU too."""
        code = [p for p in self.files if p.startswith(("engine/", "model/"))]
        texts = [self.text(p) for p in code if p.endswith(".py") and p not in self.devices()]
        first = {name for text in texts for name in at_once(text)}
        waiting = [p for name in first for p in modules(name) if p in self.devices()]
        found = set()
        while waiting:
            path = waiting.pop()
            if path not in found:
                found.add(path)
                names = at_once(self.text(path))
                waiting += [p for name in names for p in modules(name) if p in self.devices()]
        return {path for path in found if not path.endswith("__init__.py")}

    def devices(self):
        named = {path for path in self.files if DEVICES.match(path) and path.endswith(".py")}
        return {path for path in named if not path.endswith("__init__.py")}

    @functools.cached_property
    def short_keys(self):
        """{test file: the key without kernels} of those that may do without."""
        found = {}
        for path in self.test_files() if self.devices() else ():
            whole, everything = closure(self, beside(self, path))
            own, _ = closure(self, beside(self, path), short=True)
            if not everything and whole & self.devices() and not own & self.devices():
                found[path] = of_test_file(self, path, short=True)
        return found

    def has_kernels(self):
        """Whether pyproject.toml has a group triton: then kernels are interpreted too."""
        return "triton" in self.project().get("dependency-groups", {})

    def interpreted(self):
        """The test files that run a second time, in Triton's interpreter."""
        found = self.test_files() if self.has_kernels() else []
        return [path for path in found if path.startswith("tests/kernels/")]

    def project(self):
        return tomllib.loads(self.text("pyproject.toml")) if "pyproject.toml" in self.files else {}


def fetch(names, root):
    """Reads many blobs by one call of git."""
    stdin = "".join(f"{name}\n" for name in names).encode()
    command = ["git", "cat-file", "--batch"]
    out = subprocess.run(command, cwd=root, input=stdin, capture_output=True, check=True).stdout
    start = 0
    for name in names:
        head = out.index(b"\n", start)
        end = head + 1 + int(out[start:head].split()[2])
        BLOBS[name] = out[head + 1 : end].decode(errors="replace")
        start = end + 1


@functools.cache
def meaning(text):
    """A digest of a Python file as Python reads it, without comments and unused docstrings."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        documented = isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        used = "__doc__" in text
        if documented and not used and ast.get_docstring(node, clean=False) is not None:
            node.body[0].value.value = ""
    return digest(ast.dump(tree))


@dataclass
class References:
    """What a Python file names: modules, files; and whether it may reach anything at all."""

    modules: set
    mentioned: set  # modules whose names stand in strings
    packages: set  # of which any module may be meant: f"model.{program}"
    files: set
    programs: bool  # whether a .py file that it names may be run
    unnamed: bool  # whether it starts programs of which it names none
    everything: bool


@functools.cache
def references(text):
    names, strings, parameters, packages, everything = set(), set(), set(), set(), False
    for node in ast.walk(ast.parse(text)):
        names |= named_by(node)
        if isinstance(node, ast.ImportFrom):
            everything |= node.level > 0
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            strings.add(node.value)
        elif isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            constant = all(isinstance(argument, ast.Constant) for argument in node.args)
            package = package_of(node) if called.startswith("import") else None
            packages |= {package} - {None}
            known = package or (constant and called.startswith("import"))
            everything |= called in DYNAMIC and not known
            everything |= any(keyword.arg == "shell" for keyword in node.keywords)
            if called == "parametrize":  # its first argument is the name of a parameter
                parameters |= {a.value for a in node.args[:1] if isinstance(a, ast.Constant)}
    starts = "subprocess" in names or "os.system" in text
    files, mentioned = set(), set()
    for string in strings:
        mentioned |= set(MODULE.findall(string))
        for module, those in IMPORT.findall(string):
            mentioned |= {module} | {f"{module}.{name.strip()}" for name in those.split(",")}
        files |= {name for name in FILE.findall(string) if not re.match(r"test_\w+\.py", name)}
        packages |= set(re.findall(rf"\b((?:{PACKAGES})[\w.]*)\.$", string)) if starts else set()
    if starts:
        everything |= bool((strings - parameters) & PROGRAMS) or "steps.py" in files
    unnamed = starts and not (mentioned or packages or strings & TOOLS)
    return References(names, mentioned, packages, files, starts, unnamed, everything)


def package_of(call):
    """ "model" of import_module(f"model.{program}"), which imports some module of it, or None."""
    word = call.args[0] if call.args else None
    first = word.values[0] if isinstance(word, ast.JoinedStr) and word.values else None
    text = first.value if isinstance(first, ast.Constant) else ""
    match = re.fullmatch(rf"((?:{PACKAGES})[\w.]*)\.", text)
    return match[1] if match else None


def at_once(text):
    """The modules that a Python file names outside of functions."""
    tree = ast.parse(text)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    inside = {id(node) for function in functions for node in ast.walk(function)}
    return {name for node in ast.walk(tree) if id(node) not in inside for name in named_by(node)}


def named_by(node):
    """The modules that a statement imports, or a call names, as importlib.import_module("a.b")."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        return {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    if isinstance(node, ast.Call):
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        words = [a.value for a in node.args[:1] if isinstance(a, ast.Constant)]
        return {word for word in words if called in NAMING and isinstance(word, str)}
    return set()


def closure(tree, start, short=False):
    """(the paths that these files can see, whether they can see everything).

    short: without what engine/ and model/ import of kernels/ and engine/gpu.py.
    """
    found, read, waiting = set(), set(), [path for path in start if path in tree.files]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        if not path.endswith(".py"):
            continue
        seen = references(tree.text(path))
        if seen.everything or (seen.unnamed and not named_beside(tree, seen)):
            return set(tree.files), True
        mentioned = seen.mentioned if seen.programs or path.startswith("tests/") else set()
        imported = seen.modules
        if short and not path.startswith("tests/"):
            imported = {name for name in imported if not DEVICES.match(name)}
        waiting += [place for name in imported | mentioned for place in modules(name)]
        waiting += [place for place in tree.files if python_in(place, seen.packages)]
        waiting = [place for place in waiting if place in tree.files]
        named = {place for name in seen.files & tree.named.keys() for place in tree.named[name]}
        if seen.programs:
            waiting += named
        read |= named
    return found | read, False


def named_beside(tree, seen):
    """Whether a file of tests/ that is imported, as tests/program.py, names what is started."""
    places = [place for name in seen.modules for place in modules(name) if place in tree.files]
    helpers = [place for place in places if place.startswith("tests/")]
    return any(references(tree.text(place)).mentioned for place in helpers)


def python_in(path, packages):
    inside = tuple(f"{name.replace('.', '/')}/" for name in packages)
    return path.startswith(inside) and path.endswith(".py")


def modules(name):
    """The files that may hold the module a.b.c, or that are run when it is imported."""
    parts = name.split(".")
    for i in range(1, len(parts) + 1):
        path = "/".join(parts[:i])
        yield from (f"{path}.py", f"{path}/__init__.py")


def beside(tree, path):
    """A test file and what pytest reads with it: conftest.py of its folder and those above."""
    parts = path.split("/")[:-1]
    above = ["/".join([*parts[:end], "conftest.py"]) for end in range(1, len(parts) + 1)]
    return [path, *(place for place in above if place in tree.files)]


def sees(tree, start, by_text=False, short=False):
    """All that these files can see, as the parts of a key."""
    paths, everything = closure(tree, start, short)
    paths |= {path for path in tree.files if path.startswith(DATA)}
    identity = tree.identity if by_text or everything else tree.meaning
    python = [references(tree.text(path)) for path in paths if path.endswith(".py")]
    imported = {name.split(".")[0] for seen in python for name in seen.modules}
    needed = [line for line in dependencies(tree) if re.match(r"[\w.-]+", line)[0] in imported]
    needed += [f"{name} {tree.packages[name]}" for name in sorted(imported & tree.packages.keys())]
    return [*needed, *(part for path in sorted(paths) for part in (path, identity(path)))]


def of_test_file(tree, path, short=False):
    """The key of what a test file's result depends on, but for the versions of the packages."""
    settings, start = tree.project().get("tool", {}).get("pytest"), beside(tree, path)
    texts = [tree.text(each) for each in start if each in tree.files]
    number = re.findall(r"step-\d\d", tree.text(NUMBER) if NUMBER in tree.files else "")
    number = [tag for tag in number if tag in texts[0]]  # another number is any other number
    by_text = any(SOURCE.search(text) for text in texts)
    own = [tree.identity(each) for each in start if each in tree.files]
    return digest(path, settings, *number, *own, *sees(tree, start, by_text, short))


def of_training(tree):
    """The key of what `make train` prints, but for the versions and the number of the step."""
    return digest(*sees(tree, ["model/train.py"]))


def of_code(tree, more=()):
    """The key of all code and data of a step, and of the files that `more` begins."""
    code = [path for path in tree.files if path.split("/")[0] in ("engine", "model", "kernels")]
    parts = [part for path in sorted(code) for part in (path, tree.meaning(path))]
    parts += [part for path in sorted(tree.files) if path.startswith(tuple(more))
              for part in (path, tree.identity(path))]  # fmt: skip
    return digest(*parts)


def dependencies(tree):
    """What pyproject.toml says that the programs need."""
    return tree.project().get("project", {}).get("dependencies", [])

"""Exercise: what keeps more programs from a multiprocessor?"""

from kernels.compiled import Compiled


def a_kernel(target="sm_90", warps=4, registers=32, shared=0):
    return Compiled("add", "add_kernel", target, "ieee", warps, registers, 0, shared, 6, 0, 0)


def test_full_first():
    """Write the property full_first of Compiled in kernels/compiled.py: programs, warps, registers
    or shared, whichever has room for the fewest programs; the first of these where two are equal.
    """
    assert hasattr(Compiled, "full_first"), "Compiled in kernels/compiled.py has no full_first yet"
    assert a_kernel(warps=1).full_first == "programs"
    assert a_kernel().full_first == a_kernel(target="sm_75").full_first == "warps"
    assert a_kernel(registers=33).full_first == "registers"
    assert a_kernel(registers=33, shared=64 * 1024).full_first == "shared"
    assert a_kernel(target="gfx942", registers=72).full_first == "registers"

"""What launchers ask about the GPU."""

from kernels import device


def capability():
    """The generation of an NVIDIA GPU, (9, 0) for an H100; (0, 0) for all else, and played ones."""
    if device.chosen in ("simulate", "interpret"):
        return 0, 0
    from triton.runtime import driver

    target = driver.active.get_current_target()
    return divmod(target.arch, 10) if target.backend == "cuda" else (0, 0)


def precision():
    """How tl.dot multiplies float32 here.

    "ieee": as it is, on a GPU's ordinary units. "tf32x3": on tensor cores, which take numbers of
    11 bits, called tf32 (from 8.0 on); each number is cut into two of these, and three products of
    parts are added up. What is left out, the product of the small parts, is about as large as
    float32's last digit.
    """
    return "tf32x3" if capability() >= (8, 0) else "ieee"


def gpu():
    """The name of the GPU; None where kernels are played, or only compiled."""
    if device.chosen != "cuda":
        return None
    import torch

    return torch.cuda.get_device_name()

"""The least time that bytes and FLOPs take on a GPU, and how fast this computer's is."""

from types import SimpleNamespace


def floor(cost, gpu):
    """The least seconds that a cost takes on a GPU, and what they are spent on.

    Of tensor cores a product of float32 takes three of tf32.
    """
    moved, flops, products = (*cost, 0)[:3]
    arithmetic = flops / gpu.flops + products / max(gpu.flops, gpu.tf32 / 3)
    return max((moved / gpu.bandwidth, "memory"), (arithmetic, "arithmetic"))


def fastest(work):
    """The fewest seconds that work() keeps this computer's GPU busy."""
    import torch

    times = []
    for _ in range(10):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        work()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) / 1000)
    return min(times)


def here():
    """This computer's GPU, as fast as a large copy and torch's products say, float32 and tf32."""
    import torch

    x, y = torch.empty((2, 2**27), device="cuda")
    a, b, c = torch.rand((3, 4096, 4096), device="cuda")
    bandwidth = 2 * x.nbytes / fastest(lambda: y.copy_(x))
    speeds = []
    for precision in ("high", "highest"):  # "high" allows tf32, where there is some
        torch.set_float32_matmul_precision(precision)
        speeds.append(2 * len(a) ** 3 / fastest(lambda: torch.mm(a, b, out=c)))
    return SimpleNamespace(name="here", bandwidth=bandwidth, flops=speeds[1], tf32=speeds[0])

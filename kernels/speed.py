"""The least time that bytes and FLOPs take on a GPU, and how fast this computer's is."""

from types import SimpleNamespace


def floor(cost, gpu):
    """The least seconds that (bytes, FLOPs) take on a GPU, and what they are spent on."""
    return max((cost[0] / gpu.bandwidth, "memory"), (cost[1] / gpu.flops, "arithmetic"))


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
    """This computer's GPU, as fast as a large copy and torch's float32 product say."""
    import torch

    x, y = torch.empty((2, 2**27), device="cuda")
    a, b, c = torch.rand((3, 4096, 4096), device="cuda")
    bandwidth = 2 * x.nbytes / fastest(lambda: y.copy_(x))
    flops = 2 * len(a) ** 3 / fastest(lambda: torch.mm(a, b, out=c))
    return SimpleNamespace(name="here", bandwidth=bandwidth, flops=flops)

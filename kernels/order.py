"""In which order tiles are made, and what a cache makes of it: python -m kernels.order

A GPU of four rules. So many programs run at a time, those with the next numbers; all are at the
same turn of their loops; when they are done, the next ones begin. In a turn each fetches a block of
a and a block of b through a cache, which keeps the blocks that were asked for last (LRU); what is
not there comes from memory. Left out: y and bias, and that programs of one time drift apart.
"""

from collections import OrderedDict

from kernels.language import cdiv
from kernels.matmul import GROUP
from kernels.roofline import GPUS
from model.services.progress import run_program

# The side of a tile of y, how much of the inner axis a turn takes, programs a multiprocessor.
SIDE, DEPTH, TOGETHER = 64, 32, 4
# (N, C, K) of GPT-2's mlp.up and of its head.
SIZES = (16384, 768, 3072), (1024, 768, 50257)


def place(tile, tiles_n, tiles_k, group):
    """The row and the column of a tile among the tiles of y, as matmul_kernel has them."""
    first = tile // (group * tiles_k) * group
    high = min(tiles_n - first, group)
    within = tile % (group * tiles_k)
    return first + within % high, within // high


def waves(tiles_n, tiles_k, group, at_once):
    """The places of the tiles that are made at the same time, for one such time after another."""
    places = [place(tile, tiles_n, tiles_k, group) for tile in range(tiles_n * tiles_k)]
    return [places[i : i + at_once] for i in range(0, len(places), at_once)]


def fetches(waves, turns):
    """The blocks of a and b that programs ask for, in the order in which they do."""
    for wave in waves:
        for turn in range(turns):
            for row, col in wave:
                yield "a", row, turn
                yield "b", turn, col


def misses(blocks, size):
    """How many of the blocks are not in a cache that keeps so many, those asked for last."""
    cache, count = OrderedDict(), 0
    for block in blocks:
        if block in cache:
            cache.move_to_end(block)
            continue
        count += 1
        cache[block] = None
        if len(cache) > size:
            cache.popitem(last=False)
    return count


def report(N, C, K):
    tiles_n, tiles_k, turns = cdiv(N, SIDE), cdiv(K, SIDE), cdiv(C, DEPTH)
    block = 4 * SIDE * DEPTH  # bytes
    numbers, fetched, once = 8 * N * C * K, 2 * tiles_n * tiles_k * turns * block, 4 * (N + K) * C
    print(f"y ({N:,}, {K:,}) = a ({N:,}, {C:,}) @ b ({C:,}, {K:,})")
    print(f"  tiles of {SIDE} x {SIDE}: {tiles_n} x {tiles_k}, {turns} turns of {DEPTH}")
    print(f"  MB to fetch: {numbers / 1e6:,.0f} number by number", end=" · ")
    print(f"{fetched / 1e6:,.0f} by tiles · {once / 1e6:,.0f} each number once")
    # A T4 and an H100.
    for gpu in GPUS[::2]:
        at_once, cache = TOGETHER * gpu.multiprocessors, gpu.l2 // block
        print(f"  {gpu.name}: {at_once} programs at a time, {cache:,} blocks in its L2")
        groups = {"row by row": 1, "column by column": tiles_n, f"{GROUP} rows at a time": GROUP}
        for order, group in groups.items():
            times = waves(tiles_n, tiles_k, group, at_once)
            rows, cols = (len(set(places)) for places in zip(*times[0]))
            missed = misses(fetches(times, turns), cache) * block
            print(
                f"    {order:16} {rows:3} + {cols:3} strips · {missed / 1e6:5,.0f} MB from memory"
            )


def main():
    for sizes in SIZES:
        report(*sizes)


if __name__ == "__main__":
    run_program(main)

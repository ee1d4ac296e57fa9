"""Draws the roofline of four GPUs with the kernels on it: .venv/bin/python book/roofline.py

Writes book/roofline-light.svg and book/roofline-dark.svg, from what kernels/roofline.py knows: for
each GPU the FLOPs a second that are left for a kernel of so many FLOPs a byte, and on that line a
dot for each of our kernels, at the sizes of GPT-2. On both axes each doubling takes the same
length. Where tensor cores take products, a dashed line goes on to what they reach.
"""

import math
import sys

from common import ROOT

sys.path.insert(0, str(ROOT))
WIDTH, HEIGHT, LEFT, RIGHT, TOP, FOOT = 840, 440, 76, 90, 30, 96
LOW, HIGH = (2.0**-4, 2.0**-6), (2.0**10, 2.0**8)  # FLOPs a byte, and TFLOP/s
SHADES = {
    "light": {"paper": "#fff", "ink": "#1f2328", "grid": "#d8dee4"}
    | {"T4": "#9a6700", "A100": "#1a7f37", "H100": "#0969da", "H200": "#cf222e"},
    "dark": {"paper": "#0d1117", "ink": "#f0f6fc", "grid": "#30363d"}
    | {"T4": "#d29922", "A100": "#3fb950", "H100": "#58a6ff", "H200": "#ff7b72"},
}
# What the dots are called, and on which line below the picture.
NAMES = {"add": ("+", 0), "scale": ("scale", 1), "layernorm_forward": ("LayerNorm", 1)}
NAMES |= {"gelu_forward": ("GELU", 0), "gelu_backward": ("GELU, back", 2)}
NAMES |= {"linear_forward up": ("linear", 0), "attention_forward": ("attention", 1)}


def place(intensity, speed):
    """Where so many FLOPs a byte and TFLOP/s lie."""
    across, up = (
        math.log2(value / low) / math.log2(high / low)
        for value, low, high in zip((intensity, speed), LOW, HIGH)
    )
    x = LEFT + across * (WIDTH - LEFT - RIGHT)
    return round(x, 1), round(HEIGHT - FOOT - up * (HEIGHT - TOP - FOOT), 1)


def roof(bandwidth, flops, start=LOW[0]):
    """A line from `start` FLOPs a byte: what memory lets through, then what arithmetic does."""
    ridge = flops / bandwidth
    points = [place(x, min(bandwidth * x, flops) / 1e12) for x in (start, ridge, HIGH[0])]
    return " ".join(f"{x},{y}" for x, y in points)


def grid(shade):
    for power in range(-4, 11, 2):
        x, y = place(2.0**power, LOW[1])
        yield f'<path d="M{x} {TOP}V{y}" stroke="{shade["grid"]}"/>'
        yield f'<text x="{x}" y="{y + 18}" text-anchor="middle">{2.0**power:g}</text>'
    for power in range(-6, 9, 2):
        x, y = place(LOW[0], 2.0**power)
        yield f'<path d="M{x} {y}H{WIDTH - RIGHT}" stroke="{shade["grid"]}"/>'
        yield f'<text x="{x - 8}" y="{y + 4}" text-anchor="end">{2.0**power:g}</text>'
    yield f'<text x="{LEFT}" y="{TOP - 12}">TFLOP/s at most</text>'
    middle = (LEFT + WIDTH - RIGHT) / 2
    yield f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">FLOP/byte</text>'


def line_of(gpu, costs, floor, shade):
    colour = shade[gpu.name]
    style = f'fill="none" stroke="{colour}" stroke-width="2"'
    yield f'<polyline points="{roof(gpu.bandwidth, gpu.flops)}" {style}/>'
    tensor = getattr(gpu, "tf32", 0) / 3
    if tensor > gpu.flops:
        points = roof(gpu.bandwidth, tensor, gpu.flops / gpu.bandwidth)
        yield f'<polyline points="{points}" {style} stroke-dasharray="5 4"/>'
    for name, cost in costs.items():
        if name in NAMES:
            flops = sum(cost[1:])
            x, y = place(flops / cost[0], flops / floor(cost, gpu)[0] / 1e12)
            yield f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>'
    x, y = place(HIGH[0], gpu.flops / 1e12)
    # H100 and H200 compute alike: the names share a line.
    shift = 44 if gpu.name == "H200" else 8
    yield f'<text x="{x + shift}" y="{y + 4}" fill="{colour}">{gpu.name}</text>'


def draw(gpus, costs, floor, shade):
    style = f'font-family="sans-serif" font-size="13" fill="{shade["ink"]}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {style}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{shade["paper"]}"/>',
        *grid(shade),
    ]
    for name, cost in costs.items():
        if name in NAMES:
            label, row = NAMES[name]
            x, y = place(sum(cost[1:]) / cost[0], LOW[1])
            below = y + 36 + 15 * row
            lines.append(f'<path d="M{x} {TOP}V{below - 12}" stroke="{shade["grid"]}"/>')
            lines.append(f'<text x="{x}" y="{below}" text-anchor="middle">{label}</text>')
    for gpu in gpus:
        lines += line_of(gpu, costs, floor, shade)
    return "\n".join([*lines, "</svg>"]) + "\n"


def main():
    from kernels.roofline import CONFIGS, GPUS, costs, floor, sizes

    found = costs(sizes(CONFIGS["gpt2"], B=8))
    for name, shade in SHADES.items():
        (ROOT / f"book/roofline-{name}.svg").write_text(draw(GPUS, found, floor, shade))


if __name__ == "__main__":
    main()

"""A text drawing of how a Value was made."""


def draw(root, **names):
    """One line a node: its name and value, the slope of its child towards it, its grad.

    The child, the node made from it, stands above it and one level to the left.

    names: draw(d, a=a, b=b) writes "a = 3". A node met again is drawn without its parents.
    """
    labels = {id(node): f"{name} = " for name, node in names.items()}
    lines, seen = [f"{'':30}{'slope':>10}{'grad':>10}"], set()
    stack = [(root, "", "", "")]
    while stack:
        node, slope, branch, below = stack.pop()
        again = id(node) in seen and node.parents
        text = branch + labels.get(id(node), "") + f"{node.data:.4g}"
        if again:
            text += " (again)"
        lines.append(f"{text:30}{slope:>10}{node.grad:>10.4g}")
        if not again:
            last = len(node.parents) - 1
            for i in range(last, -1, -1):
                corner, bar = ("└─ ", "   ") if i == last else ("├─ ", "│  ")
                stack.append(
                    (node.parents[i], f"{node.slopes[i]:.4g}", below + corner, below + bar)
                )
        seen.add(id(node))
    return "\n".join(lines)

"""What a step costs: bytes that go through memory, counted on the graph itself."""

from engine.autograd import parents_first


def count_bytes(loss):
    """(nodes, bytes) of a step: each node reads its parents and writes itself on the way there,
    and on the way back reads both and its gradient, and writes its parents' gradients.

    Arrays that a node makes for itself alone are not counted, nor is the optimizer. To be asked
    before loss.backward().
    """
    nodes = parents_first(loss)
    total = 0
    for node in nodes:
        inputs = sum(parent.data.nbytes for parent in node.parents)
        total += inputs + node.data.nbytes + inputs + 2 * node.data.nbytes + inputs
    return len(nodes), total

"""The GPT of model/gpt.py in PyTorch: the opponent in model/instruments/bench.py."""

import torch
from torch.nn import functional as F


def logits(w, tokens, L, H):
    """(B, T) -> (B, T, V)        w: our weights by our names, as PyTorch's tensors"""

    def linear(x, name):
        return F.linear(x, w[name + ".weight"], w[name + ".bias"])

    def layernorm(x, name):
        return F.layer_norm(x, x.shape[-1:], w[name + ".weight"], w[name + ".bias"])

    B, T = tokens.shape
    x = F.embedding(tokens, w["tok_emb"]) + w["pos_emb"][:T]
    for block in (f"blocks.{i}." for i in range(L)):
        qkv = linear(layernorm(x, block + "ln_1"), block + "attn.qkv")
        q, k, v = (part.view(B, T, H, -1).transpose(1, 2) for part in qkv.chunk(3, dim=-1))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)  # (B, H, T, D)
        x = x + linear(y.transpose(1, 2).reshape(B, T, -1), block + "attn.proj")
        up = linear(layernorm(x, block + "ln_2"), block + "mlp.up")
        x = x + linear(F.gelu(up, approximate="tanh"), block + "mlp.down")
    return layernorm(x, "ln_f") @ w["tok_emb"].T


def opponent(model, learning_rate, weight_decay, name):
    """(function (x, y) -> loss that leaves gradients, function that steps), for our model's copy"""
    w = {
        key: torch.tensor(weight.data, requires_grad=True)
        for key, weight in model.named_parameters()
    }
    matrices = {"params": [weight for weight in w.values() if weight.ndim >= 2]}
    vectors = {"params": [weight for weight in w.values() if weight.ndim < 2], "weight_decay": 0.0}
    optimizer = torch.optim.AdamW(
        [matrices, vectors], learning_rate, (0.9, 0.99), weight_decay=weight_decay, fused=True
    )
    forward = torch.compile(logits) if name == "compiled" else logits

    def backward(x, y):
        optimizer.zero_grad()
        z = forward(w, torch.from_numpy(x), model.config.L, model.config.H)
        loss = F.cross_entropy(z.flatten(0, 1), torch.from_numpy(y).flatten())
        loss.backward()
        return loss.item()

    return backward, optimizer.step

"""What PyTorch gives for the methods of a Tensor: python scripts/tensor-methods.py > test/goldens/tensor_methods.json

Inputs are quarters, which float32 holds exactly. Gradients are those of the sum of the result times 1, 2, 3, …
"""

import json

import torch
import torch.nn.functional as F

generator = torch.Generator().manual_seed(1)


def quarters(*shape):
    return torch.randint(-16, 17, shape, generator=generator).float() / 4


x, y, w, square = quarters(2, 3, 4), quarters(2, 3, 4), quarters(2, 5, 4), quarters(2, 4, 4)
with_zeros = x.clone()
with_zeros[0, 0] = 0

results = {
    "var": x.var(-1),
    "var of all": x.var(),
    "var, uncorrected, kept": x.var(1, correction=0, keepdim=True),
    "std": x.std(-1),
    "std of two axes": x.std((0, 2)),
    "norm": x.norm(dim=-1),
    "norm of all": x.norm(),
    "norm of order 1": x.norm(p=1, dim=1),
    "norm of order 3": x.norm(p=3, dim=-1),
    "norm of order Infinity": x.norm(p=float("inf"), dim=-1),
    "cumsum": x.cumsum(-1),
    "cumsum of columns": x.cumsum(1),
    "cosineSimilarity": F.cosine_similarity(x, y, dim=-1),
    "cosineSimilarity of columns": F.cosine_similarity(x, y, dim=1),
    "argmin": x.argmin(-1),
    "sort": x.sort(dim=-1, stable=True).values,
    "sort of columns": x.sort(dim=1, stable=True).values,
    "argsort": x.argsort(dim=-1, stable=True),
    "argsort, descending": x.argsort(dim=-1, descending=True, stable=True),
    "clip": x.clamp(-1, 1.5),
    "clip below": x.clamp(min=0.5),
    "round": (x * 2).round(),
    "flatten": x.flatten(),
    "flatten of two axes": x.flatten(1, 2),
    "reshape": x.reshape(4, 6),
    "diagonal": square.diagonal(0, -2, -1),
    "diagonal 1": square.diagonal(1, -2, -1),
    "diagonal -2": square.diagonal(-2, -2, -1),
    "diagonal of other axes": x.diagonal(0, 0, 2),
    "tril": square.tril(),
    "tril -1": square.tril(-1),
    "triu 1": x.triu(1),
    "oneHot": F.one_hot(torch.tensor([[0, 2], [1, 1]]), 3),
    "einsum": torch.einsum("bph,bkh->bpk", x, w),
    "stack": torch.stack([x, y], 1),
    "concat": torch.cat([x, y], -1),
    "range": x[:, 1:, -3:-1],
}


def gradient(f, *inputs):
    first, *others = [t.clone().requires_grad_() for t in inputs]
    result = f(first, *others)
    (result * torch.arange(1, result.numel() + 1).reshape(result.shape)).sum().backward()
    return first.grad


gradients = {
    "std": gradient(lambda t: t.std(-1), with_zeros),
    "norm": gradient(lambda t: t.norm(dim=-1), with_zeros),
    "clip": gradient(lambda t: t.clamp(-1, 1.5), with_zeros),
    "cumsum": gradient(lambda t: t.cumsum(-1), with_zeros),
    "cosineSimilarity": gradient(lambda a, b: F.cosine_similarity(a, b, dim=-1), with_zeros, y),
    "sort": gradient(lambda t: t.sort(dim=-1, stable=True).values, with_zeros),
    "diagonal": gradient(lambda t: t.diagonal(1, 0, 2), with_zeros),
}

inputs = {"x": x, "y": y, "w": w, "square": square, "withZeros": with_zeros}
groups = {"inputs": inputs, "results": results, "gradients": gradients}
print(json.dumps({name: {key: t.tolist() for key, t in group.items()} for name, group in groups.items()}))

"""Calibration as the paper writes it down, through transformers and autograd in float64: gradients of each example's loss with
respect to K and V at every site, stacked, and their singular value decomposition.
"""
import sys

import torch
from transformers import AutoModelForCausalLM
from transformers.utils import logging

SITES = ("proj", "post_norm", "post_rope")


def exact_rms_norm(norm):
    """transformers' RMSNorm goes by way of float32 whatever the model's type; this one stays in the type of its input."""
    def forward(x):
        return norm.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + norm.variance_epsilon)
    return forward


class TappedModel:
    """A model in float64 whose K (at each site it has) and V of every layer are kept, with gradients."""

    def __init__(self, folder):
        logging.disable_progress_bar()
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="sdpa").eval()
        self.taps = {}
        for parameter in self.model.parameters():
            parameter.requires_grad_(False)
        for module in self.model.modules():
            if type(module).__name__.endswith("RMSNorm"):
                module.forward = exact_rms_norm(module)
        for layer, block in enumerate(self.model.model.layers):
            attention = block.self_attn
            attention.k_proj.register_forward_hook(self.tap_hook(layer, "k", "proj"))
            attention.v_proj.register_forward_hook(self.tap_hook(layer, "v", "proj"))
            if hasattr(attention, "k_norm"):
                attention.k_norm.register_forward_hook(self.tap_hook(layer, "k", "post_norm"))
        # The rotation is a function of the family's module, called once a layer in their order.
        family = sys.modules[type(self.model).__module__]
        rotate = family.apply_rotary_pos_emb

        def tapped_rotate(q, k, *rest, **options):
            q, k = rotate(q, k, *rest, **options)
            self.layers_rotated += 1
            return q, self.tap(self.layers_rotated - 1, "k", "post_rope", k.transpose(1, 2)).transpose(1, 2)
        family.apply_rotary_pos_emb = tapped_rotate

    def tap(self, layer, stream, site, x):
        """A zero that asks for gradients is added, so that every tap is a leaf and hangs on no other."""
        zero = torch.zeros_like(x, requires_grad=True)
        self.taps[layer, stream, site] = zero
        return x + zero

    def tap_hook(self, layer, stream, site):
        return lambda module, inputs, output: self.tap(layer, stream, site, output)

    def gradients(self, ids, targets):
        """The mean loss over the targets, and a [T, d] gradient for each tap."""
        self.layers_rotated = 0
        self.taps = {}
        logits = self.model(torch.tensor([ids])).logits[0]
        scores = torch.log_softmax(logits, -1)
        loss = -torch.stack([scores[t - 1, ids[t]] for t in targets]).mean()
        keys = list(self.taps)
        found = torch.autograd.grad(loss, [self.taps[key] for key in keys], allow_unused=True)
        rows = {key: torch.zeros_like(self.taps[key]) if gradient is None else gradient for key, gradient in zip(keys, found)}
        return loss.item(), {key: gradient.reshape(len(ids), -1) for key, gradient in rows.items()}


def largest_sine(ours, theirs, r):
    """Of the angles between the spans of the first r rows of two orthonormal bases [w, w]: the norm of what the first r of one
    have in common with the others of the other. Digits below 1e-8 are lost, which is far below what is asked.
    """
    common = ours[:r] @ theirs[r:].T
    square = common @ common.T if r <= len(ours) // 2 else common.T @ common
    return torch.linalg.eigvalsh(square)[-1].clamp(min=0).sqrt().item()


class Spectrum:
    """Of one gradient matrix: G [M, w], rows of the even and of the odd examples apart."""

    def __init__(self, even, odd):
        self.g = torch.cat([even, odd])
        self.values, self.vectors = self.decompose(self.g)
        self.halves = [self.decompose(even), self.decompose(odd)]
        self.gram = self.g.T @ self.g
        share = self.values / self.values.sum()
        self.effective_rank = torch.exp(-(share[share > 0] * share[share > 0].log()).sum()).item()
        self.stable_rank = (self.values.square().sum() / self.values[0].square()).item()

    @staticmethod
    def decompose(g):
        width = g.shape[1]
        padded = torch.cat([g, g.new_zeros(max(0, width - g.shape[0]), width)])  # full bases, w values
        _, values, vectors = torch.linalg.svd(padded, full_matrices=False)
        return values, vectors

    def clear_ranks(self, values=None, gap=4e-3):
        """Ranks at which the subspace is well determined."""
        values = self.values if values is None else values
        gaps = (values[:-1] - values[1:]) / values[0]
        return [r + 1 for r in range(len(gaps)) if gaps[r] >= gap]

    def overlap(self, r):
        left, right = (vectors[:r] for _, vectors in self.halves)
        return ((left @ right.T).square().sum() / r).item()

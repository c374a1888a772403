"""Subspace folders that spd's calibration has no part in, and projections as hooks on a model of transformers."""
import contextlib
import hashlib
import json
import math
import re
import sys

import torch
from safetensors.torch import save_file

LAYER = re.compile(r"(?:^|\.)layers\.(\d+)\.self_attn$")


def random_spectrum(width, rank, generator):
    """Singular values, right singular vectors (rows) and Gram matrix of a random gradient matrix of that rank."""
    scales = torch.logspace(0, -2, width, dtype=torch.float64)
    gradients = torch.randn(4 * width, width, generator=generator, dtype=torch.float64) * scales
    if rank < width:
        gradients = gradients @ torch.diag((torch.arange(width) < rank).double())
    gradients = gradients @ torch.linalg.qr(torch.randn(width, width, generator=generator, dtype=torch.float64))[0]
    _, values, vectors = torch.linalg.svd(gradients, full_matrices=False)
    largest = vectors.abs().argmax(1, keepdim=True)
    return values, vectors * vectors.gather(1, largest).sign(), gradients.T @ gradients


class Subspace:
    """A random subspace of every K and V of `layers`; spectra[(layer, "k")] is a list, one a head where `per_head`."""

    def __init__(self, config, layers, site="proj", per_head=False, rank=None, seed=0):
        generator = torch.Generator().manual_seed(seed)
        self.config, self.layers, self.site, self.per_head = config, list(layers), site, per_head
        self.heads = config.num_key_value_heads if per_head else 1
        head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        self.width = head_dim if per_head else config.num_key_value_heads * head_dim
        self.rank = min(rank or self.width, self.width)
        self.spectra = {(layer, stream): [random_spectrum(self.width, self.rank, generator) for _ in range(self.heads)]
                        for layer in self.layers for stream in "kv"}

    def write(self, folder, checkpoint):
        """subspace.safetensors and subspace.json as for the model in `checkpoint`."""
        folder.mkdir()
        tensors, targets = {}, {}
        for (layer, stream), spectra in self.spectra.items():
            for name, part in zip(("singular_values", "right_singular_vectors", "gram"), zip(*spectra)):
                tensors[f"layers.{layer}.{stream}.{name}"] = torch.stack(part) if self.per_head else part[0].contiguous()
            ranks = [self.ranks_json(values) for values, _, _ in spectra]
            ranks = {key: [r[key] for r in ranks] for key in ranks[0]} if self.per_head else ranks[0]
            targets[f"{layer}.{stream}"] = {"rows": 4 * self.width, "nonzero_rows": 4 * self.width} | ranks
        save_file(tensors, folder / "subspace.safetensors", {"format": "pt"})
        sha256 = hashlib.sha256((checkpoint / "config.json").read_bytes()).hexdigest()
        (folder / "subspace.json").write_text(json.dumps({
            "format_version": 1, "model": {"id": checkpoint.name, "revision": "", "config_sha256": sha256},
            "tokenizer_sha256": "0" * 64, "site": self.site, "per_head": self.per_head, "loss": "aligned", "dtype": "float32",
            "num_hidden_layers": self.config.num_hidden_layers, "layers": self.layers, "examples": [], "targets": targets}))
        return folder

    def ranks_json(self, values):
        shares = values / values.sum()
        shares = shares[shares > 0]
        return {"numeric_rank": int((values >= 1e-6 * values[0]).sum()),
                "effective_rank": math.exp(-(shares * shares.log()).sum().item()),
                "stable_rank": ((values ** 2).sum() / values[0] ** 2).item(),
                "split_half_overlap": [(r + 1) / self.width for r in range(self.width)]}

    def maps(self, layers=None, rank=None, streams="kv", strength=1.0, complement=False):
        """M of each target, float64. `rank` is a number, or a function of the singular values; half the width by default."""
        maps = {}
        for target, spectra in self.spectra.items():
            if target[0] not in (self.layers if layers is None else layers) or target[1] not in streams:
                continue
            blocks = []
            for values, vectors, _ in spectra:
                r = rank(values) if callable(rank) else rank or self.width // 2
                kept = vectors[:r].T @ vectors[:r]
                identity = torch.eye(self.width, dtype=torch.float64)
                kept = identity - kept if complement else kept
                blocks.append(identity - strength * (identity - kept))
            maps[target] = torch.block_diag(*blocks)
        return maps


def last_mid(config):
    return sorted({config.num_hidden_layers - 1, max(config.num_hidden_layers // 2 - 1, 0)})


def apply_map(x, matrix):
    """[..., d] times M^T, in float64."""
    return (x.double() @ matrix.T).to(x.dtype)


@contextlib.contextmanager
def projected(model, maps, site="proj", active=lambda tokens: True):
    """Projects K (at `site`) and V (at v_proj) inside the block. `active` says of a call by its number of tokens whether it is
    projected. Works on models of transformers and, with the adapter below the map, of peft.
    """
    handles, modules, patched = [], set(), []
    current = {}

    def hook_flat(target):
        return lambda module, args, out: apply_map(out, maps[target]) if active(out.shape[1]) else out

    def hook_heads(target):  # [B, T, Hkv, D]
        return lambda module, args, out: (apply_map(out.flatten(2), maps[target]).view(out.shape) if active(out.shape[1]) else out)

    for name, module in model.named_modules():
        if not (found := LAYER.search(name)):
            continue
        layer = int(found[1])
        handles.append(module.register_forward_pre_hook(lambda module, args, layer=layer: current.update(layer=layer)))
        modules.add(sys.modules[type(module).__module__])
        if (layer, "v") in maps:
            handles.append(module.v_proj.register_forward_hook(hook_flat((layer, "v"))))
        if (layer, "k") in maps and site == "proj":
            handles.append(module.k_proj.register_forward_hook(hook_flat((layer, "k"))))
        if (layer, "k") in maps and site == "post_norm":
            handles.append(module.k_norm.register_forward_hook(hook_heads((layer, "k"))))

    def after_rope(original):
        def rotate(q, k, *args, **kwargs):
            q, k = original(q, k, *args, **kwargs)  # k is [B, Hkv, T, D]
            matrix = maps.get((current["layer"], "k"))
            if matrix is None or not active(k.shape[2]):
                return q, k
            flat = apply_map(k.transpose(1, 2).flatten(2), matrix)
            return q, flat.view(k.shape[0], k.shape[2], k.shape[1], k.shape[3]).transpose(1, 2)
        return rotate

    if site == "post_rope":
        for module in modules:
            patched.append((module, module.apply_rotary_pos_emb))
            module.apply_rotary_pos_emb = after_rope(module.apply_rotary_pos_emb)
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
        for module, original in patched:
            module.apply_rotary_pos_emb = original


@torch.no_grad()
def hooked_logits(model, ids, maps, site="proj", when="all", prompt_length=None):
    """Logits [T, V] of one sequence; where `when` is not "all", computed as generation does: the prompt first, what follows
    over its cache.
    """
    ids = torch.tensor([ids])
    length = ids.shape[1] if prompt_length is None else prompt_length
    if when == "all":
        with projected(model, maps, site):
            return model(ids).logits[0].float()
    cache, parts = None, []
    for piece, is_on in ((ids[:, :length], when == "prefill_only"), (ids[:, length:], when == "decode_only")):
        if piece.shape[1] == 0:
            continue
        with projected(model, maps, site) if is_on else contextlib.nullcontext():
            out = model(piece, past_key_values=cache, use_cache=True)
        cache = out.past_key_values
        parts.append(out.logits[0].float())
    return torch.cat(parts)

"""Adapters written by peft on a checkpoint folder, with weights that matter."""
import json

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file

from support import reference_model

ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]


def randomise(model, seed):
    """lora_B is zero after peft's init, which would test nothing."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data.copy_(0.3 * torch.randn(parameter.shape, generator=generator))


def make_adapter(base, out, seed=0, **settings):
    """A LoRA adapter of `base` in the folder `out`; peft's model with it, in float32."""
    torch.manual_seed(seed)  # peft draws lora_A
    settings = {"r": 8, "lora_alpha": 16, "target_modules": ATTENTION, "task_type": "CAUSAL_LM"} | settings
    model = get_peft_model(reference_model(base, torch.float32), LoraConfig(**settings))
    randomise(model, seed)
    model.save_pretrained(out)
    return model.eval()


def store_as(adapter, dtype):
    """Rounds an adapter's tensors to another type, as some programs save them."""
    path = adapter / "adapter_model.safetensors"
    save_file({name: tensor.to(dtype) for name, tensor in load_file(path).items()}, path, {"format": "pt"})


def adapter_config(adapter):
    return json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))


@torch.no_grad()
def logits(model, sequences):
    return [model(torch.tensor([ids])).logits[0].float() for ids in sequences]

"""Which device "auto" means, and what its processor can do."""

from contextlib import AbstractContextManager, nullcontext

import torch

from stylelab.errors import StylelabError


def pick_device(device: str | torch.device = "auto") -> torch.device:
    """The device to compute on: CUDA, then MPS, then CPU for "auto"; otherwise the one named.

    device: "auto", "cpu", "cuda", "cuda:1", "mps" or a torch.device.
    Raises StylelabError where torch does not know the name or the machine lacks the device.
    """
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise StylelabError(f'unknown device "{device}"; use "auto", "cpu", "cuda" or "mps"') from error
    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (chosen.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not available.get(chosen.type, False):
        raise StylelabError(f'this machine has no device "{device}"; leave it at "auto" or say "cpu"')
    return chosen


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether the processor multiplies bfloat16 matrices in hardware; read from its flags, never timed."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        # Not a public function, and torch has not always had it.
        return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())
    return False


def uses_bfloat16(precision: str, device: torch.device) -> bool:
    """Whether a network at that precision, "float32", "bfloat16" or "auto", computes in bfloat16 there."""
    return precision == "bfloat16" or (precision == "auto" and has_fast_bfloat16(device))


def autocast(precision: str, device: torch.device) -> AbstractContextManager:
    """The context in which convolutions compute at that precision, see uses_bfloat16."""
    # Entered only where wanted: not every torch has it for every device.
    if not uses_bfloat16(precision, device):
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)

"""Which device "auto" means, and complaints about those that are not there."""

import pytest
import torch

from stylelab.device import has_fast_bfloat16, pick_device
from stylelab.errors import StylelabError


@pytest.fixture
def machine(monkeypatch):
    """Makes torch believe in other hardware: (number of CUDA devices, whether MPS is there)."""

    def build(cuda: int, mps: bool) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    return build


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"), [(1, True, "cuda"), (2, False, "cuda"), (0, True, "mps"), (0, False, "cpu")]
)
def test_auto_is_cuda_then_mps_then_cpu(machine, cuda, mps, expected):
    machine(cuda, mps)
    assert pick_device().type == pick_device("auto").type == expected


def test_a_device_by_name_is_itself_where_it_exists(machine):
    machine(2, True)
    for name in ("cpu", "cuda", "cuda:1", "mps"):
        assert pick_device(name) == pick_device(torch.device(name)) == torch.device(name)


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps", "meta"])
def test_a_device_the_machine_lacks_is_refused_with_what_to_do(machine, name):
    machine(0, False)
    with pytest.raises(StylelabError, match=f'no device "{name}"; leave it at "auto" or say "cpu"'):
        pick_device(name)


def test_a_second_gpu_is_refused_where_there_is_one(machine):
    machine(1, False)
    assert pick_device("cuda:0") == torch.device("cuda:0")
    with pytest.raises(StylelabError, match='no device "cuda:1"'):
        pick_device("cuda:1")


@pytest.mark.parametrize("name", ["gpu", "cud", "CPU!", ""])
def test_a_name_torch_does_not_know_is_refused_with_those_it_does(name):
    with pytest.raises(StylelabError, match=f'unknown device "{name}"; use "auto", "cpu", "cuda" or "mps"'):
        pick_device(name)


def test_bfloat16_is_read_from_the_processor_and_not_timed(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)
    assert has_fast_bfloat16(torch.device("cpu")) is True
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    assert has_fast_bfloat16(torch.device("cpu")) is False
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported")  # a torch that cannot tell
    assert has_fast_bfloat16(torch.device("cpu")) is False
    assert has_fast_bfloat16(torch.device("mps")) is False


def test_emulated_bfloat16_does_not_count_as_fast(monkeypatch):
    asked = []
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation: asked.append(including_emulation)
    )
    assert not has_fast_bfloat16(torch.device("cuda"))
    assert asked == [False]

"""Rooms 2, 3, 4, 5 and 7: functions whose result is held against a reference, number by number."""

import numpy as np
import torch
from torch import Tensor, nn

from stylelab.checks.drawing import normal, uniform
from stylelab.checks.exercise import Case, Exercise, Mistake
from stylelab.checks.museum import broken, mended

# Room 2: targets in the order of a list, maps in the order of the network.


def _gram(maps: np.ndarray) -> np.ndarray:
    n, c, h, w = maps.shape
    rows = maps.reshape(n, c, h * w)
    return np.einsum("nip,njp->nij", rows, rows) / (c * h * w)


def _style_loss(maps: dict, grams: list, layers: list) -> float:
    losses = []
    for place, layer in enumerate(layers):
        apart = _gram(maps[layer]) - grams[place]
        losses.append((apart**2).sum() / (grams[place] ** 2).sum())
    return float(np.mean(losses))


def _layers(names: list[str], listed: list[str], side: int = 2) -> tuple[dict, list, list]:
    """Maps by name in the order of `names`, and a painting's Gram matrices in the order of `listed`."""
    maps = {name: normal(1, 2, side, side, seed=seed) for seed, name in enumerate(names)}
    rows = {name: (seed + 1) * normal(1, 2, 6, seed=9 + seed) for seed, name in enumerate(names)}
    return maps, [rows[name] @ rows[name].mT / 12 for name in listed], listed


def _in_order(order):
    def imitation(maps, grams, layers):
        chosen = order(maps, layers)
        return mended.style_loss(maps, grams[: len(chosen)], chosen)

    return imitation


BLOCK = ["relu3_1", "relu3_2", "relu3_3"]

paired = Exercise(
    name="find_the_bug(2)",
    signature="style_loss(maps, grams, layers)",
    task="The mean over layers of the relative distance between the Gram matrices of maps and those of a "
    "painting.\n\nmaps: {layer: (N, C, H, W)}, in the order in which the network computes them. grams: a "
    "list of Gram matrices (N, C, C), in the order of layers. layers: the names, as somebody listed them. "
    "Returns a scalar.",
    cases=lambda: [
        Case(_layers(BLOCK[:2], BLOCK[:2]), "layers listed as the network runs", slopes=(0,)),
        Case(_layers(BLOCK[:2], BLOCK[1::-1]), "two layers, the deeper listed first", slopes=(0,)),
        Case(_layers(["relu9_1", "relu10_1"], ["relu10_1", "relu9_1"]), "names that do not sort as they run"),
        Case(_layers(BLOCK, [BLOCK[1], BLOCK[2], BLOCK[0]], 3), "three layers, in no order at all"),
    ],
    reference=_style_loss,
    mistakes=(
        Mistake(
            "This is still the exhibit: maps come in the order of the network, Gram matrices in the order of "
            "your list, and `zip` asks no questions. Which layer does each target belong to?",
            broken.style_loss,
        ),
        Mistake(
            "The maps are turned round now. That mends a list which runs backwards, and no other: look each "
            "layer up by its name.",
            _in_order(lambda maps, layers: list(maps)[::-1]),
        ),
        Mistake(
            "The names are sorted, the targets are not, and sorting puts relu10_1 before relu9_1. Walk "
            "through layers itself: the targets keep its order.",
            _in_order(lambda maps, layers: sorted(layers)),
        ),
        Mistake(
            "Only the first layer is compared: a `return` stands inside the loop, or the list was cut.",
            _in_order(lambda maps, layers: layers[:1]),
        ),
        Mistake(
            "Each layer has its own target now, but their sum is no longer divided by how many they are.",
            lambda maps, grams, layers: len(layers) * mended.style_loss(maps, grams, layers),
        ),
    ),
    praise="Right: each target is met by the layer it was made from, in whatever order they are listed.",
)


# Room 3: a file whose first channel is blue.


def _pixels(*colours: tuple[int, int, int]) -> np.ndarray:
    """One row of pixels, (1, W, 3) of bytes."""
    return np.array([colours], dtype=np.uint8)


def _bytes(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _moved(index):
    return lambda pixels: broken.read(index(pixels).copy())


blue_first = Exercise(
    name="find_the_bug(3)",
    signature="read(pixels)",
    task="A picture as a tensor, from the array in which OpenCV hands it out.\n\n"
    "pixels: (H, W, 3) of bytes, 0 to 255; channel 0 is blue, 1 green, 2 red. Returns (1, 3, H, W) in [0, "
    "1], red first.",
    cases=lambda: [
        Case((_pixels((0, 0, 255)),), "one red pixel: the last of its three bytes is 255"),
        Case((_pixels((255, 0, 0), (0, 128, 0)),), "a blue pixel, then a green one"),
        Case((_bytes(2, 3),), "random bytes"),
    ],
    reference=lambda pixels: pixels[..., [2, 1, 0]].transpose(2, 0, 1)[None] / 255.0,
    mistakes=(
        Mistake(
            "This is still the exhibit: OpenCV's first channel is blue, and it comes out as red. Find the "
            "axis of channels, and turn it round.",
            broken.read,
        ),
        Mistake(
            "Another axis was turned round: the picture stands on its head, and its colours are as wrong as "
            "before. Channels are the last axis of pixels.",
            _moved(lambda pixels: pixels[::-1]),
        ),
        Mistake(
            "Another axis was turned round: left and right are exchanged, and the colours are as wrong as "
            "before. Channels are the last axis of pixels.",
            _moved(lambda pixels: pixels[:, ::-1]),
        ),
        Mistake(
            "The channels were rolled along, not turned round: green has to stay in the middle.",
            _moved(lambda pixels: np.roll(pixels, 1, axis=2)),
        ),
        Mistake(
            "The channels were rolled along, not turned round: green has to stay in the middle.",
            _moved(lambda pixels: np.roll(pixels, -1, axis=2)),
        ),
        Mistake(
            "The right idea, and torch refuses: an array turned round by `[::-1]` has a negative stride. "
            "Copy it first, `pixels[..., ::-1].copy()`, or turn the tensor round, `image.flip(1)`.",
            lambda pixels: torch.from_numpy(pixels[..., ::-1]),
        ),
    ),
    praise="Right: red is red. The input of networks that were trained with Caffe is blue first, too.",
)


# Room 4: bytes where numbers between 0 and 1 are expected.


def network(image: Tensor) -> Tensor:
    """A network small enough to be computed in the head: what exceeds 0.4."""
    return (image - 0.4).relu()


def _target(pixels: np.ndarray, network) -> np.ndarray:
    return np.maximum(pixels.transpose(2, 0, 1)[None] / 255.0 - 0.4, 0)


def _scaled(scale):
    def imitation(pixels, network):
        return network(scale(torch.from_numpy(pixels).permute(2, 0, 1)[None].float())).detach()

    return imitation


bytes_in = Exercise(
    name="find_the_bug(4)",
    signature="content_target(pixels, network)",
    task="The maps of a photograph that was read from a file.\n\n"
    "pixels: (H, W, 3) of bytes, 0 to 255, red first. network: a function from an image (1, 3, H, W) in [0, "
    "1] to its maps. Returns these maps, detached.",
    cases=lambda: [
        Case((_pixels((255, 153, 0)), network), "one orange pixel; network(image) = max(image − 0.4, 0)"),
        Case((_bytes(2, 3) // 2 + 40, network), "a dull picture; network(image) = max(image − 0.4, 0)"),
        Case((_bytes(3, 2), network), "random bytes; network(image) = max(image − 0.4, 0)"),
    ],
    reference=_target,
    mistakes=(
        Mistake(
            "This is still the exhibit: `float()` changes the type of a number and not its size. The network "
            "expects 0 to 1, and gets 0 to 255.",
            broken.content_target,
        ),
        Mistake(
            "White is 255, and has to become 1: divide by 255. There are 256 bytes, but the largest is 255.",
            _scaled(lambda image: image / 256),
        ),
        Mistake(
            "You divided the maps. The network subtracts means and adds biases on the way, and those were "
            "made for pictures between 0 and 1: divide what goes in.",
            lambda pixels, network: broken.content_target(pixels, network) / 255,
        ),
        Mistake(
            "The numbers are between 0 and 1 now because they were cut off there: all but black is white. "
            "Divide instead.",
            _scaled(lambda image: image.clamp(0, 1)),
        ),
        Mistake(
            "You divided by this picture's largest number: a dull photograph would come out bright. Divide "
            "by what white is, 255.",
            _scaled(lambda image: image / image.max()),
        ),
        Mistake(
            "That makes −1 to 1, as some networks want it; this one expects 0 to 1.",
            _scaled(lambda image: image / 127.5 - 1),
        ),
        Mistake(
            "`//` divides whole numbers, and hands out whole numbers: all but white is black.",
            _scaled(lambda image: image // 255),
        ),
    ),
    praise="Right: white is 1 for the photograph as it is for the picture being made.",
)


# Room 5: a ReLU that writes over its input.


def _convolution(seed: int, outputs: int, inputs: int) -> nn.Conv2d:
    made = nn.Conv2d(inputs, outputs, 1).requires_grad_(False)
    weight, bias = normal(outputs, inputs, 1, 1, seed=seed), normal(outputs, seed=seed + 1) / 4
    made.load_state_dict({"weight": weight, "bias": bias})
    return made


def _stages() -> dict[str, nn.Module]:
    """A network of two convolutions, named as VGG's are, each with a ReLU in place."""
    return {
        "conv1_1": _convolution(0, 2, 3),
        "relu1_1": nn.ReLU(inplace=True),
        "conv1_2": _convolution(2, 2, 2),
        "relu1_2": nn.ReLU(inplace=True),
    }


def _maps_of(stages: dict, image: np.ndarray, layers: list[str]) -> dict[str, np.ndarray]:
    maps, x = {}, image
    for name, stage in stages.items():
        if isinstance(stage, nn.ReLU):
            x = np.maximum(x, 0)
        else:
            weight, bias = stage.weight.double().numpy()[:, :, 0, 0], stage.bias.double().numpy()
            x = np.einsum("oi,nihw->nohw", weight, x) + bias[:, None, None]
        if name in layers:
            maps[name] = x
    return maps


def _kept(keep):
    def imitation(stages, image, layers):
        maps, x = {}, image
        for name, stage in stages.items():
            x = stage(x)
            if name in layers:
                maps[name] = keep(x)
        return maps

    return imitation


def _before(stages, image, layers):
    maps, x = {}, image
    for name, stage in stages.items():
        if name in layers:
            maps[name] = x.clone()
        x = stage(x)
    return maps


ROW = uniform(1, 3, 1, 2, seed=3)

overwritten = Exercise(
    name="find_the_bug(5)",
    signature="maps_of(stages, image, layers)",
    task="The maps of some layers of a network.\n\n"
    "stages: {layer: module}, in the order in which they run; the ReLUs among them write over their input, "
    "as torchvision's do. They belong to somebody else: leave them as they are. image: (N, 3, H, W). "
    "layers: the names wanted. Returns {layer: (N, C, H, W)}: what came out of each of these stages.",
    cases=lambda: [
        Case((_stages(), ROW, ["relu1_1"]), "a layer that nobody writes over", slopes=(1,)),
        Case((_stages(), ROW, ["conv1_2"]), "a convolution before its ReLU", slopes=(1,)),
        Case(
            (_stages(), uniform(1, 3, 2, 2, seed=4), ["conv1_1", "relu1_1", "relu1_2"]),
            "a convolution and its ReLU, both wanted",
            slopes=(1,),
        ),
    ],
    reference=_maps_of,
    mistakes=(
        Mistake(
            "This is still the exhibit, for what conv1_2 is called holds no negative number: the ReLU after "
            "it has written there. Dictionaries keep names, not copies; keep numbers of your own.",
            broken.maps_of,
        ),
        Mistake(
            "`detach` cuts the gradient off and copies nothing: the ReLU still writes there, and now nothing "
            "pulls at the picture. What copies and keeps the gradient?",
            _kept(lambda x: x.detach()),
        ),
        Mistake(
            "The numbers are right, and the gradient is gone: no content loss could move the picture. Copy "
            "without `detach` or `data`.",
            _kept(lambda x: x.detach().clone()),
        ),
        Mistake("These are the maps that go into each stage; those that come out are wanted.", _before),
    ),
    praise="Right: conv is what the convolution said, with its negative numbers, and the gradient flows.",
)


# Room 7: maps with their channels last, cut as if they were first.


def _channels_last(maps: np.ndarray) -> np.ndarray:
    return np.einsum("nhwi,nhwj->nij", maps, maps) / maps[0].size


def _of_positions(maps):
    rows = maps.flatten(1, 2)
    return rows @ rows.mT / rows[0].numel()


reshaped = Exercise(
    name="find_the_bug(7)",
    signature="gram_matrix(maps)",
    task="Gram matrices of maps whose channels are the last axis.\n\n"
    "maps: (N, H, W, C), as TensorFlow, JAX and image files have them. Returns (N, C, C), divided by C·H·W.",
    cases=lambda: [
        Case(
            (torch.tensor([[[[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]]]),), "three places, one channel is silent"
        ),
        Case((normal(1, 2, 2, 2),), "two channels", slopes=(0,)),
        Case((normal(2, 3, 4, 5),), "a batch of two, wider than high"),
    ],
    reference=_channels_last,
    mistakes=(
        Mistake(
            "This is still the exhibit: `reshape` cuts the row of numbers anew and moves none of them, so a "
            "row holds all channels of a few places. Move the axis before it is cut.",
            broken.gram_matrix,
        ),
        Mistake(
            "Rows and columns of the picture changed places, and channels are still last: bring the last "
            "axis to the front.",
            lambda maps: broken.gram_matrix(maps.transpose(1, 2).reshape(maps.shape)),
        ),
        Mistake(
            "This compares places with places: (N, H·W, H·W). Turn the other one of the two factors.",
            _of_positions,
        ),
        Mistake(
            "The right matrix, without the division by C·H·W.",
            lambda maps: torch.einsum("nhwi,nhwj->nij", maps, maps),
        ),
        Mistake(
            "The right matrix, divided by H·W and not by C.",
            lambda maps: mended.gram_matrix(maps) * maps.shape[3],
        ),
        Mistake(
            "All pictures of the batch are added up in one matrix: keep N apart.",
            lambda maps: torch.einsum("nhwi,nhwj->ij", maps, maps)[None] / maps[0].numel(),
        ),
    ),
    praise="Right: a row is one channel at all places, and it does not matter which place came first.",
)

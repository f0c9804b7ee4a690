"""A photograph's regions, by what a network sees in them: a first set of masks for one call."""

import torch
import torch.nn.functional as F
from torch import Tensor

from stylelab.errors import StylelabError
from stylelab.networks.extractor import FeatureExtractor, shared_extractor
from stylelab.pictures.guided import guided_filter
from stylelab.pictures.loading import ImageLike, as_image
from stylelab.seeds import whole_seed

MOST = 12  # regions: more would be smaller than what a layer's positions see
GRID = 96  # positions along the longest side; edges are found again by the guided filter
LAYERS = ("relu3_1", "relu4_1")  # textures and parts of things; deeper maps are coarser than a region
AXES = 12  # of each layer's maps, those along which they vary most
COLOUR, PLACE = 0.5, 0.7  # beside features, whose spread is 1; found by eye on the sample photographs


@torch.no_grad()
def segment(
    image: ImageLike, regions: int = 4, seed: int = 0, extractor: FeatureExtractor | None = None
) -> list[Tensor]:
    """Masks of a photograph's regions: what looks alike to the network, in colour, and lies together.

    image: (1, 3 or 1, H, W) in [0, 1], or what load_image reads. regions: how many, 2 to 12. seed: of
    k-means. extractor: VGG-19, the bundled one by default.
    Returns so many masks (1, 1, H, W) in [0, 1], from the region that lies highest in the picture to the
    lowest, of sum 1 at each pixel, soft at their edges.
    k-means on colour, place and the main axes of relu3_1 and relu4_1; edges by He, Sun and Tang (2013).
    """
    from sklearn.cluster import KMeans

    if isinstance(regions, bool) or not isinstance(regions, int) or not 2 <= regions <= MOST:
        raise StylelabError(f"regions={regions!r}: use a whole number from 2 to {MOST}")
    extractor = extractor or shared_extractor()
    image = as_image(image).to(extractor.device)
    height, width = image.shape[-2:]
    scale = min(1.0, GRID / max(height, width))
    grid = (max(1, round(height * scale)), max(1, round(width * scale)))
    if grid[0] * grid[1] < regions:
        raise StylelabError(f"{width} × {height} pixels cannot have {regions} regions; use a larger picture")
    seen = torch.cat([*_colour_and_place(image, grid), *_features(image, grid, extractor)], 1)
    found = KMeans(regions, n_init=4, random_state=whole_seed(seed) % 2**32).fit(seen.cpu().numpy())
    labels = torch.from_numpy(found.labels_).long().view(grid)
    parts = F.one_hot(labels, regions).permute(2, 0, 1)[None].float()
    rows = torch.arange(grid[0]).view(-1, 1)
    order = (parts * rows).sum((2, 3)).div(parts.sum((2, 3))).argsort()[0]
    parts = F.interpolate(parts[:, order], (height, width), mode="bilinear").to(image.device)
    radius = max(1, round(2 / scale))  # as far as an edge of the grid may be from the picture's
    parts = guided_filter(parts, image, radius)
    return list((parts / parts.sum(1, keepdim=True)).cpu().split(1, 1))


def _colour_and_place(image: Tensor, grid: tuple[int, int]) -> list[Tensor]:
    colours = F.interpolate(image, grid, mode="area")[0].flatten(1).T
    height, width = grid
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    places = torch.stack([rows, columns], -1).view(-1, 2).to(image) / (max(grid) / 2)
    return [COLOUR * _spread_of_one(colours), PLACE * (places - places.mean(0))]


def _features(image: Tensor, grid: tuple[int, int], extractor: FeatureExtractor) -> list[Tensor]:
    """The main axes of each layer's maps, at the grid's positions; their roots, as a few values are huge."""
    found = []
    for _, maps in extractor.walk(image, LAYERS):
        rows = F.interpolate(maps.sqrt(), grid, mode="bilinear")[0].flatten(1).T
        rows = rows - rows.mean(0)
        _, axes = torch.linalg.eigh(rows.T @ rows)
        found.append(_spread_of_one(rows @ axes[:, -AXES:]) / len(LAYERS) ** 0.5)
    return found


def _spread_of_one(rows: Tensor) -> Tensor:
    """Rows (P, D) about their mean, divided by the root of their mean squared length."""
    rows = rows - rows.mean(0)
    return rows / rows.square().sum(1).mean().sqrt().clamp_min(torch.finfo(rows.dtype).tiny)

"""The sample pictures that come with stylelab, by name."""

from pathlib import Path

from stylelab.errors import ImageError, unknown

KINDS = ("content", "style")


def sample_names(kind: str = "content") -> list[str]:
    """The names of the sample pictures, sorted; kind: "content" or "style"."""
    if kind not in KINDS:
        raise ImageError(f'unknown kind of sample "{kind}"; expected "content" or "style"')
    return sorted(all_samples(kind))


def sample_path(name: str) -> Path:
    """The file of a sample picture, in a checkout or an installed package; ImageError for an unknown name."""
    samples = all_samples(*KINDS)
    if name not in samples:
        raise ImageError(unknown("sample", name, samples, 'sample_names("content") + sample_names("style")'))
    return samples[name]


def all_samples(*kinds: str) -> dict[str, Path]:
    """{name: file} of these kinds; ImageError where stylelab's data is missing."""
    folder = data_folder()
    return {path.stem: path for kind in kinds for path in sorted((folder / kind).glob("*.jpg"))}


def data_folder() -> Path:
    """The folder data/ of a checkout or an installed package; ImageError where it is missing."""
    package = Path(__file__).parents[1]
    for folder in (package / "data", package.parent / "data"):
        if all((folder / kind).is_dir() for kind in KINDS):
            return folder
    raise ImageError(f"the sample pictures are missing from {package / 'data'}; install stylelab again")

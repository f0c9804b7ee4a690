"""python -m stylelab --list: the sample pictures and the recipes."""

from pathlib import Path

from stylelab.optimisation.published import RECIPES


def list_all() -> int:
    """Prints every sample with its author, and every recipe; returns 0."""
    from stylelab.pictures.samples import KINDS, sample_names, sample_path

    for kind in KINDS:
        print(f"{kind}:")
        for name in sample_names(kind):
            print(f"  {name:24}{_caption(sample_path(name))}")
    print("recipes:")
    for name, recipe in RECIPES.items():
        download = f" Downloads {recipe.download} at its first use." if recipe.download else ""
        print(f"  {name:24}{recipe.size} px, {sum(recipe.steps)} steps. {recipe.about}{download}")
    return 0


def _caption(path: Path) -> str:
    """Title, author and year of a sample, from the table in the README beside the pictures."""
    for line in (path.parents[1] / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if f"`{path.parent.name}/{path.name}`" in cells:
            return ", ".join(cell for cell in cells[2:5] if cell != "not stated")
    return ""

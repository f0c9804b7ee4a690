"""The lab of fast networks follows the finger: pictures a second along a drag, in order, the last one last.

The network is as large as the course's, and untrained: what it paints takes as long. Times are printed.
"""

from tests.browser.test_labs import AT_ONCE, LabOnPage

BETWEEN = 100  # milliseconds from one picture to the next, at most: the goal
SECONDS = 5
LAB = """
import torch
from stylelab import FastNetwork, labs

network = FastNetwork(("day", "night", "rain", "snow"))
with torch.no_grad():
    network.vectors += 0.3 * torch.randn(network.vectors.shape, generator=torch.Generator().manual_seed(0))
lab = labs.fast(network)
lab
"""


def shares(says: str) -> dict[str, int]:
    """The percentages in a line such as "pagoda, 256 × 171 pixels: day 75%, night 25%."."""
    told = says.rstrip(".").split("pixels: ")[1].split("; ")[0].split(", ")
    return {name: int(share.rstrip("%")) for name, share in (part.rsplit(" ", 1) for part in told)}


def test_the_picture_follows_a_slider(open_notebook, latencies):
    notebook = open_notebook("fast.ipynb", [LAB, "print(lab.wait(60), lab.last_error)"])
    made = LabOnPage(notebook, "cell-0")
    made.until_says(0, "day 100%")
    drag = made.slide("night", 1, SECONDS, "day 50%, night 50%")
    notebook.run_cell("cell-1")
    assert notebook.wait_for(lambda: notebook.stream("stdout"), 60, "the lab") == "True None\n"

    seen = [shares(says).get("night", 0) for _, says in drag.faces]
    assert seen == sorted(seen) and seen[-1] == 50, (
        "no picture out of order, and the last is the last asked for"
    )
    latencies.append(("fast", "between pictures", drag.gaps(), BETWEEN))
    latencies.append(("fast", "after the drag", [drag.late()], AT_ONCE))
    assert not made.complains() and notebook.errors() == []


def test_the_pad_is_dragged(open_notebook, latencies):
    made = LabOnPage(open_notebook("fast_pad.ipynb", [LAB]), "cell-0")
    made.until_says(0, "day 100%")
    made.drag(1, (0.02, 0.02), (0.98, 0.02), (0.98, 0.98))
    for corner in "day", "night", "rain", "snow":
        assert corner in made.pictures()[1]["says"]
    says = made.until_says(0, "snow 9")
    assert max(shares(says), key=shares(says).get) == "snow" and not made.complains()
    line = made.cell.locator("pre").last.inner_text()
    assert line.startswith("network.stylise(stylelab.load_image('pagoda', 256), {'snow': ")

"""What pytest needs to know about notebooks; the options are in pyproject.toml."""

from nbval.plugin import IPyNbFile


def pytest_collectstart(collector):
    # Progress bars write to stderr, and what they write differs from run to run.
    if isinstance(collector, IPyNbFile):
        collector.skip_compare += ("stderr",)

"""What is minimised: a list of terms, measured in one walk through the network."""

from collections.abc import Sequence

import torch
from torch import Tensor

from stylelab.errors import StylelabError
from stylelab.losses.scene import Scene
from stylelab.losses.terms import Term
from stylelab.networks.features import Features


class Objective:
    """A function from an image to the loss of each term, unweighted, and their weighted sum, as one tensor.

    Where the scene's paintings claim nothing, it judges the photograph instead of the image.

    terms: as many as you like, of different names. scene: at the size of the images to come; the terms make
    their targets of it here, once. network: whose maps they compare.
    names: of the numbers it returns, the last of them "total".
    Raises StylelabError for two terms of one name.
    """

    def __init__(self, terms: Sequence[Term], scene: Scene, network: Features) -> None:
        self.terms, self.network, self._scene = list(terms), network, scene
        self.names = (*(term.name for term in terms), "total")
        if len(set(self.names)) < len(self.names):
            raise StylelabError(
                f"terms called {', '.join(self.names[:-1])}: give each a name of its own, and none 'total'"
            )
        self._losses = [term.prepare(scene, network) for term in terms]
        self._layers = {name for term in terms for name in term.layers}

    def __call__(self, image: Tensor) -> Tensor:
        image = self._scene.laid_on(image)
        found = [image.new_zeros(()) for _ in self.terms]
        # Each loss before the next layer is computed: on the way back its gradient is then made when it is
        # its turn; made after all layers, those of all losses would wait in memory.
        for name, maps in self.network.walk(image, self._layers):
            for number, (term, loss) in enumerate(zip(self.terms, self._losses, strict=True)):
                if name in term.layers:
                    found[number] = found[number] + loss(image, {name: maps})
        for number, (term, loss) in enumerate(zip(self.terms, self._losses, strict=True)):
            if not term.layers:
                found[number] = loss(image, {})
        total = image.new_zeros(())
        for term, loss_of_term in zip(self.terms, found, strict=True):
            total = total + term.weight * loss_of_term
        return torch.stack([*found, total])

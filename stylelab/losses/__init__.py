"""What is compared: content, the statistics of a style, smoothness; and the objective made of such terms.

Feature maps are (N, C, H, W), Gram matrices (N, C, C). The losses are pure functions of tensors.
"""

from stylelab.losses.gram import content_loss, gram_matrix, squared_distance, style_loss, tv_loss
from stylelab.losses.objectives import relative_losses

__all__ = ["content_loss", "gram_matrix", "relative_losses", "squared_distance", "style_loss", "tv_loss"]
